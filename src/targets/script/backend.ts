/** One backend in Sesame's layout: `NN-name/config.yml`, which says what is run for which action, and `bin/`. */
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { readDocument } from '../../config/document.ts';
import { flatten, remember, word } from '../../config/mistake.ts';
import { nearest } from '../../config/nearest.ts';
import { formatProblem, type Problem, valueAt } from '../../config/problem.ts';
import type { Program } from '../../programs/program.ts';
import { actions } from './action.ts';
import { findProgram } from './find-program.ts';

/** What a backend does for an action. */
export interface Step {
  readonly program: Program;
  /** Whether the backends after this one are still called where it fails. */
  readonly onError: 'stop' | 'continue';
}

export interface Backend {
  /** Its folder's name; backends run in the order of these. */
  readonly folder: string;
  readonly name: string;
  readonly description: string;
  readonly active: boolean;
  /** Action → what is run. What is not listed does not concern it. */
  readonly steps: ReadonlyMap<string, Step>;
}

/** A backend that cannot be used as its `config.yml` stands. */
export interface Broken {
  readonly folder: string;
  readonly name: string;
  /** What is wrong, each with file and line. */
  readonly mistakes: readonly string[];
}

const step = z.strictObject({
  script: z.string(),
  onError: z.enum(['stop', 'continue']).default('continue'),
});

const config = z.strictObject({
  _version: z.literal(1).optional(),
  name: z.string().min(1, { error: 'expected a name' }),
  description: z.string(),
  active: z.boolean(),
  actions: z.record(z.string(), step),
});

/**
 * Reads a `config.yml`; `shown` is its name for people. Every mistake is found, not the first only. One that says it is not
 * active is never broken: undefined where there is no such file.
 */
export async function readBackend(file: string, shown: string): Promise<Backend | Broken | undefined> {
  const folder = basename(dirname(file));
  const read = await readText(file);
  if (read === undefined) return undefined;
  if ('unreadable' in read) return { folder, name: folder, mistakes: [`${shown}: ${read.unreadable}`] };
  const document = readDocument(shown, read.text);
  const written = document.value;
  const said = valueAt(written, ['name']);
  const name = typeof said === 'string' && said !== '' ? said : folder;
  const broken = (mistakes: readonly string[]): Backend | Broken =>
    valueAt(written, ['active']) === false
      ? { folder, name, description: 'not active', active: false, steps: new Map() }
      : { folder, name, mistakes };
  if (document.broken) return broken(document.problems.map(formatProblem));
  const result = config.safeParse(written, { error: remember });
  const invalid = result.success ? [] : word(flatten(result.error.issues, written), written);
  const steps = new Map<string, Step>();
  const missing: Problem[] = [];
  for (const name of listed(written)) {
    const path = ['actions', name, 'script'];
    const script = valueAt(written, path);
    if (typeof script !== 'string') continue;
    const program = await findProgram(script, join(dirname(file), 'bin'));
    if (typeof program === 'string') missing.push({ path, message: program });
    else steps.set(name, { program, onError: result.data?.actions[name]?.onError ?? 'continue' });
  }
  const problems = [...invalid, ...misspelt(written), ...missing].map(document.place);
  const mistakes = [...document.problems, ...problems].toSorted(
    (one, other) => one.line - other.line || one.column - other.column,
  );
  if (!result.success || mistakes.length > 0) return broken(mistakes.map(formatProblem));
  const { description, active } = result.data;
  return { folder, name: result.data.name, description, active, steps };
}

/** Sesame may come to have more actions than we know; what is near to a known one is a slip. */
function misspelt(written: unknown): Problem[] {
  return listed(written).flatMap((name): Problem[] => {
    if (actions.some((known) => known === name)) return [];
    const near = nearest(name, actions);
    if (near === undefined && /^[A-Z][A-Z0-9_]*$/.test(name)) return [];
    const message = near === undefined ? 'expected an action such as IDENTITY_UPDATE' : `did you mean ${near}?`;
    return [{ path: ['actions', name], at: 'key', message: `unknown action; ${message}` }];
  });
}

function listed(written: unknown): string[] {
  const steps = valueAt(written, ['actions']);
  return typeof steps === 'object' && steps !== null ? Object.keys(steps) : [];
}

async function readText(file: string): Promise<{ text: string } | { unreadable: string } | undefined> {
  try {
    return { text: await readFile(file, 'utf8') };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    return { unreadable: code === 'EACCES' ? 'this user may not read it' : `cannot be read: ${code}` };
  }
}
