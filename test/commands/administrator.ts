/** An administrator at work, `carla`: commands run in this process against a database of their own. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { vi } from 'vitest';
import { createInstallation, type Installation } from '../sql/installation.ts';
import { runHere } from './run-here.ts';
import type { Outcome } from './staffetta.ts';

export interface Administrator {
  readonly db: Installation;
  /** A folder of their own, with the `staffetta.yml` in it. */
  readonly folder: string;
  /** Runs a command: what it printed, and its exit code. */
  run(command: Command, ...args: string[]): Promise<Outcome>;
  close(): Promise<void>;
}

const configuration = (url: string) => `
version: 1
database: { url: "${url}" }
entities:
  person: { view: registry.v_person, key: id, sources: { registry.person: id } }
targets:
  directory:
    type: ldap
    url: ldap://localhost
    entities: { person: { dn: "uid={uid},ou=people", attributes: { cn: "{name}" } } }
`;

export async function createAdministrator(): Promise<Administrator> {
  const db = await createInstallation();
  await db.query(
    `create table staffetta.journal_now partition of staffetta.journal for values from ('2000-01-01') to ('2100-01-01')`,
  );
  vi.stubEnv('SUDO_USER', 'carla');
  const folder = mkdtempSync(join(tmpdir(), 'staffetta-commands-'));
  const config = join(folder, 'staffetta.yml');
  writeFileSync(config, configuration(db.owner));
  return {
    db,
    folder,
    run: (command, ...args) => runHere(command, ['--config', config, ...args]),
    close: async () => {
      vi.unstubAllEnvs();
      rmSync(folder, { recursive: true });
      await db.close();
    },
  };
}
