/** Hooks for tests: files in a folder of their own, configured as `staffetta.yml` would, and changes that pass them. */
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { hooks as list } from '../../src/config/hooks.ts';
import { ldap } from '../../src/config/ldap.ts';
import type { TargetConfig } from '../../src/config/schema.ts';
import type { ChangeOutcome, Search } from '../../src/hooks/hook.ts';
import { createHooks, type Hooks } from '../../src/hooks/hooks.ts';
import type { Begin, Round, Subject } from '../../src/hooks/round.ts';
import type { Change } from '../../src/targets/target.ts';

const dn = 'uid=ada,ou=people,dc=example,dc=org';

export const create: Change = {
  operation: 'create',
  entity: 'person',
  remoteId: dn,
  attributes: { cn: ['Ada Lovelace'], mail: ['ada@example.org', 'a.l@example.org'], userPassword: ['s3cret'] },
};

export const remove: Change = { operation: 'remove', entity: 'person', remoteId: dn };

/** Adds an address and a room, changes the name with the remote id, and clears the telephone. */
export const update: Change = {
  operation: 'update',
  entity: 'person',
  remoteId: dn,
  renameTo: 'uid=ada2,ou=people,dc=example,dc=org',
  changes: [
    { attribute: 'cn', action: 'replace', values: ['Ada King'] },
    { attribute: 'mail', action: 'add', values: ['ada@king.example'] },
    { attribute: 'telephoneNumber', action: 'replace', values: [] },
    { attribute: 'roomNumber', action: 'replace', values: ['12'] },
  ],
};

export const done: ChangeOutcome = { done: true, code: 0, message: 'Success!', remoteId: dn };

/** A target as hooks see it; `more`: where it really is. */
export function ldapConfig(more: Readonly<Record<string, unknown>> = {}): TargetConfig {
  return ldap.parse({ type: 'ldap', url: 'ldap://localhost:1', entities: {}, ...more });
}

export interface Workshop {
  readonly folder: string;
  write(files: Readonly<Record<string, string>>): Promise<void>;
  /** Hooks as they are configured; closed with the workshop. */
  hooks(configured: readonly Readonly<Record<string, unknown>>[], target?: TargetConfig): Hooks;
  /** A change on its way past them. */
  round(hooks: Hooks, change: Change, more?: Partial<Subject>, search?: Search, begin?: Begin): Promise<Round>;
  close(): Promise<void>;
}

/** `files`: name → text; all may be executed. */
export async function createWorkshop(files: Readonly<Record<string, string>> = {}): Promise<Workshop> {
  const folder = await mkdtemp(join(tmpdir(), 'staffetta-hooks-'));
  const opened: Hooks[] = [];
  const write = async (more: Readonly<Record<string, string>>) => {
    for (const [name, text] of Object.entries(more)) {
      const file = join(folder, name);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, text);
      await chmod(file, 0o755);
    }
  };
  await write(files);
  return {
    folder,
    write,
    hooks(configured, target = ldapConfig()) {
      const hooks = createHooks(list.parse(configured), target, folder);
      if (!hooks) throw new Error('no hooks');
      opened.push(hooks);
      return hooks;
    },
    round(hooks, change, more = {}, search = async () => [], begin = (timeout) => AbortSignal.timeout(timeout)) {
      const known = { cn: ['Ada Lovelace'], telephoneNumber: ['1815'], mail: ['ada@example.org'] };
      const subject: Subject = {
        entity: 'person',
        key: '42',
        target: 'directory',
        baseDn: 'dc=example,dc=org',
        actor: 'registrar',
        change,
        known,
        secret: new Set(['userPassword']),
        ...more,
      };
      return hooks.round(subject, search, begin);
    },
    async close() {
      await Promise.all(opened.map((hooks) => hooks.close()));
      await rm(folder, { recursive: true });
    },
  };
}
