/** Finds and loads the module that a target of the administrator's own is. */
import { statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { isAbsolute, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { oneLine } from '../../programs/output.ts';
import { TargetError } from '../target.ts';

/** Makes a target of options and context; nothing is known of what it is until it was called. */
export type Factory = (options: unknown, context: unknown) => unknown;

/**
 * The default export of a module. `name`: a path from `folder` on, or a package as it would be imported there. A file that
 * was changed since is loaded anew; what it imports itself is not. Throws TargetError `misconfigured`, in words.
 */
export async function loadModule(name: string, folder: string): Promise<Factory> {
  const file = find(name, folder);
  const url = pathToFileURL(file);
  url.searchParams.set('changed', changedAt(name, file));
  const loaded = await load(name, url.href);
  const create: unknown = loaded.default;
  if (typeof create === 'function') return (options, context) => Reflect.apply(create, undefined, [options, context]);
  const others = Object.keys(loaded).toSorted().join(', ') || 'nothing';
  throw wrong(
    name,
    `it has no default export that is a function (it exports ${others}); expected \`export default (options, context) => target\``,
  );
}

function find(name: string, folder: string): string {
  if (isAbsolute(name) || /^\.{1,2}\//.test(name)) return resolve(folder, name);
  try {
    return createRequire(join(folder, 'staffetta.yml')).resolve(name);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'MODULE_NOT_FOUND')
      throw wrong(name, `no package of this name is installed in ${folder} or above it; a file is written ./${name}`);
    if (code === 'ERR_PACKAGE_PATH_NOT_EXPORTED')
      throw wrong(
        name,
        'its package.json exports nothing under this name that is for everybody: give `exports` a `default`',
      );
    throw wrong(name, words(error));
  }
}

/** Nanoseconds: a text of digits. */
function changedAt(name: string, file: string): string {
  try {
    const found = statSync(file, { bigint: true });
    if (found.isFile()) return String(found.mtimeNs);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw wrong(name, words(error));
    throw wrong(name, `there is no file ${file}`);
  }
  throw wrong(name, `${file} is no file; expected a module, .ts, .mjs or .js`);
}

async function load(name: string, url: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    const loaded: object = await import(/* @vite-ignore */ url);
    return Object.fromEntries(Object.entries(loaded));
  } catch (error) {
    throw wrong(name, `loading it failed: ${oneLine(words(error))}`);
  }
}

/** A module that cannot be used. */
export function wrong(name: string, reason: string): TargetError {
  return new TargetError('misconfigured', `the module ${name} cannot be used: ${reason}`);
}

/** What anything that was thrown says. */
export function words(error: unknown): string {
  if (error instanceof Error) return error.message || error.name;
  return error === undefined || error === null ? 'it said nothing' : String(error);
}
