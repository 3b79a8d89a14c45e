/** Script targets for tests: backends written to a folder of their own, configured as `staffetta.yml` would. */
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type ScriptConfig, script } from '../../../src/config/script.ts';
import { ScriptTarget } from '../../../src/targets/script/target.ts';
import type { Change } from '../../../src/targets/target.ts';

/** Lines that begin a program of each language, and one that answers well. */
export const well = `#!/bin/sh\ncat >/dev/null\necho '{"status": 0, "message": "done"}'\n`;

/** A `config.yml` in which one script is for every action named. */
export function configOf(name: string, script: string, actions: readonly string[], more = ''): string {
  const steps = actions.map((action) => `  ${action}: { script: ${JSON.stringify(script)}${more} }`);
  return [`name: ${name}`, `description: ${name}`, 'active: true', 'actions:', ...steps, ''].join('\n');
}

/** Every action that is sent. */
export const every = [
  ...['IDENTITY_CREATE', 'IDENTITY_UPDATE', 'IDENTITY_DELETE', 'IDENTITY_ENABLE', 'IDENTITY_DISABLE'],
  ...['IDENTITY_LIFECYCLE_CHANGED', 'PING_TARGET'],
];

export interface Backyard {
  readonly folder: string;
  /** Writes files below the folder; those in a `bin` may be executed. */
  write(files: Readonly<Record<string, string>>): Promise<void>;
  /** A target over these backends, closed with the folder. */
  target(more?: Readonly<Record<string, unknown>>): ScriptTarget;
  close(): Promise<void>;
}

/** The configuration of a target, with anything else on top. */
export function scriptConfig(more: Readonly<Record<string, unknown>> = {}): ScriptConfig {
  return script.parse({
    type: 'script',
    entities: {
      person: {
        id: '{id}',
        attributes: {
          enabled: { from: 'active' },
          lifecycle: { from: 'lifecycle', as: 'number' },
          'inetOrgPerson.cn': '{name}',
          'inetOrgPerson.title': '{title}',
          'inetOrgPerson.userPassword': { from: 'password', secret: true },
        },
      },
    },
    ...more,
  });
}

export async function createBackyard(files: Readonly<Record<string, string>> = {}): Promise<Backyard> {
  const folder = await mkdtemp(join(tmpdir(), 'staffetta-backends-'));
  const targets: ScriptTarget[] = [];
  const write = async (more: Readonly<Record<string, string>>) => {
    for (const [name, text] of Object.entries(more)) {
      const file = join(folder, name);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, text);
      if (dirname(file).endsWith('bin')) await chmod(file, 0o755);
    }
  };
  await write(files);
  return {
    folder,
    write,
    target: (more = {}) => {
      const target = new ScriptTarget(scriptConfig({ backends: '.', ...more }), folder);
      targets.push(target);
      return target;
    },
    close: async () => {
      for (const target of targets) await target.close();
      await rm(folder, { recursive: true });
    },
  };
}

/** Creates a person; `title` is what most programs here are told by what to do. */
export function create(title: string, name = 'Anna'): Extract<Change, { operation: 'create' }> {
  const attributes = { 'inetOrgPerson.cn': [name], 'inetOrgPerson.title': [title], lifecycle: ['1'] };
  return { operation: 'create', entity: 'person', remoteId: '42', attributes };
}
