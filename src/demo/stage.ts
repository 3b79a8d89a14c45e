/** Everything the demo plays on: a PostgreSQL with a university in it, an empty directory, a SCIM service, and the configuration applied. */
import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { createUniversity, loadUniversity, type UniversitySize } from '../../examples/university/load.ts';
import { apply } from '../apply/apply.ts';
import { type LoadedConfig, loadConfig } from '../config/load.ts';
import { createPool } from '../database/pool.ts';
import { addSkeleton } from './ldap-tools.ts';
import { startPostgres } from './postgres.ts';
import { startScim } from './scim.ts';
import { createScratch } from './scratch.ts';
import type { Screen } from './screen.ts';
import { type SlapdServer, startSlapd } from './slapd.ts';
import { withDatabase } from './with-database.ts';

/** The file that the demo runs. */
export const configFile = fileURLToPath(new URL('../../examples/university/staffetta.yml', import.meta.url));

export interface Stage {
  /** Connections of the database's owner. */
  readonly owner: pg.Pool;
  /** Connections of the university's application, which has no right on anything of Staffetta's. */
  readonly application: pg.Pool;
  /** What the application connects with; for people to try. */
  readonly applicationUrl: string;
  readonly directory: SlapdServer;
  readonly loaded: LoadedConfig;
  /** The environment that the configuration names. */
  readonly env: Readonly<
    Record<
      | 'DATABASE_URL'
      | 'LDAP_URL'
      | 'LDAP_BIND_DN'
      | 'LDAP_PASSWORD'
      | 'LDAP_SUFFIX'
      | 'CARDS'
      | 'PHONEBOOK'
      | 'SCIM_URL'
      | 'SCIM_TOKEN',
      string
    >
  >;
  /** How many people and groups the directory is to have. */
  readonly entries: number;
}

/** Builds it up, a line on the screen for each part. `stack` takes it down again, also when only a part of it stands. */
export async function setStage(size: UniversitySize, screen: Screen, stack: AsyncDisposableStack): Promise<Stage> {
  const { server, url } = await screen.step('PostgreSQL', async () => {
    const server = await startPostgres();
    stack.defer(() => server.close());
    const url = await server.createDatabase('university');
    const version = await withDatabase(url, (client) =>
      client.query<{ server_version: string }>('show server_version'),
    );
    return { server, url, note: `${version.rows[0]?.server_version} on ${server.host}:${server.port}` };
  });
  const { directory } = await screen.step('OpenLDAP', async () => {
    const directory = await startSlapd();
    stack.defer(() => directory.close());
    await addSkeleton(directory);
    return { directory, note: `slapd on ${directory.url}, ${directory.suffix} is empty` };
  });
  const password = randomBytes(8).toString('hex');
  const { load } = await screen.step('registry', () =>
    withDatabase(url, async (client) => {
      await createUniversity(client);
      await client.query(`alter role registrar_app password ${client.escapeLiteral(password)}`);
      const load = await loadUniversity(client, size);
      return { load, note: `${count(load.people)} people and ${count(load.groups)} groups in schema registry` };
    }),
  );
  const scratch = await createScratch('demo');
  stack.defer(() => scratch.remove());
  const [cards, phonebook] = [join(scratch.path, 'cards'), join(scratch.path, 'phonebook')];
  await mkdir(cards);
  await mkdir(phonebook);
  const { scim } = await screen.step('SCIM service', async () => {
    const scim = await startScim(scratch);
    return { scim, note: `${scim.url}, without users` };
  });
  const env = {
    DATABASE_URL: url,
    LDAP_URL: directory.url,
    LDAP_BIND_DN: directory.bind.dn,
    LDAP_PASSWORD: directory.bind.password,
    LDAP_SUFFIX: directory.suffix,
    CARDS: cards,
    PHONEBOOK: phonebook,
    SCIM_URL: scim.url,
    SCIM_TOKEN: scim.token,
  };
  const loaded = loadConfig(configFile, env);
  const owner = createPool(url, 'staffetta demo');
  stack.defer(() => owner.end());
  const applicationUrl = `postgresql://registrar_app:${password}@${server.host}:${server.port}/university`;
  const application = new pg.Pool({ connectionString: applicationUrl, max: 8, application_name: 'registrar' });
  application.on('error', () => {});
  stack.defer(() => application.end());
  await screen.step('staffetta apply', async () => {
    const { captured, routes } = await apply(owner, loaded);
    return {
      note: `${captured.length} tables captured, ${[...new Set(routes.map(({ entity }) => entity))].join(' and ')} mapped`,
    };
  });
  return { owner, application, applicationUrl, directory, loaded, env, entries: load.people + load.groups };
}

/** A number with its thousands apart. */
export const count = (value: number): string => Math.round(value).toLocaleString('en');
