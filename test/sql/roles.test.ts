import { readFile } from 'node:fs/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type PostgresServer, startPostgres } from '../../src/demo/postgres.ts';
import { createInstallation, type Installation } from './installation.ts';

describe('who may do what', () => {
  let db: Installation;
  const people = new Map<string, pg.Client>();
  beforeAll(async () => {
    db = await createInstallation();
    await db.database.query(
      `insert into registry.person (id, uid, name, password) values (42, 'ada', 'Ada', 'geheim')`,
    );
    for (const role of ['reader', 'operator', 'admin']) people.set(role, await db.connectAs(`staffetta_${role}`));
    people.set('outsider', await db.connectAs());
  });
  afterAll(() => db.close());

  const views = [
    'status',
    'backlog',
    'failures',
    'out_of_scope',
    'daemon',
    'journal',
    'parameter',
    'par_conf',
    'ldap_repl',
    'ldap_norep',
    'deprovisioning',
  ].map((name) => `select * from staffetta.${name}`);
  const operations = [
    `select * from staffetta.replay('person', '42')`,
    `select * from staffetta.replay('person', '{42}'::text[])`,
    `select * from staffetta.retry()`,
    `select * from staffetta.preview('person', '42')`,
    `select * from staffetta.desired('directory', 'person', '{42}')`,
    `select * from staffetta.wait_for('person', '7')`,
  ];
  const administration = [
    `select * from staffetta.replay_all('person')`,
    `select * from staffetta.rescan()`,
    `select staffetta.rescan_parts('directory', 'person')`,
    `select * from staffetta.rescan_part('directory', 'person', 0, 2)`,
    `select staffetta.rescan_keys('directory', 'person', '{7}')`,
    `select * from staffetta.pause('badge')`,
    `select * from staffetta.resume('badge')`,
    `update staffetta.parameter set number = 3 where code = 'POLL_SECONDS'`,
    `update staffetta.par_conf set val_num = 3 where par_cod = 'LDAP_POLL_SECONDS'`,
    `select * from staffetta.erase('person', '7')`,
    `select * from staffetta.prune()`,
  ];
  const nobody = [
    'select * from staffetta.installation',
    'select * from staffetta.desired_directory_person',
    'select * from staffetta.link',
    'select * from staffetta.event',
    'delete from staffetta.delivery',
    `insert into staffetta.parameter (code, description) values ('X', 'x')`,
    `update staffetta.parameter set minimum = 0`,
    `select staffetta.compare_route('directory', 'person', null, false)`,
    `select staffetta.look_again('directory', 'person')`,
    `select staffetta.enqueue_statement('select 1', true)`,
    `select staffetta.stored_value('"x"', true)`,
    `select * from staffetta.owed('person', null, null, null)`,
    `select staffetta.write_back('registry.f', 'person', '42', 'directory', 'done', '{}')`,
    'select * from staffetta.setting',
    'select staffetta.enqueue_steps()',
  ];

  test.each([
    ['outsider', [] as string[], [...views, ...operations, ...administration, ...nobody]],
    ['reader', views, [...operations, ...administration, ...nobody]],
    ['operator', [...views, ...operations], [...administration, ...nobody]],
    ['admin', [...views, ...operations, ...administration], nobody],
  ])('%s', async (role, allowed, refused) => {
    const client = people.get(role);
    const failures = new Map<string, string>();
    for (const statement of [...allowed, ...refused]) {
      await client?.query(statement).catch((error: unknown) => failures.set(statement, String(error)));
    }
    expect([...failures.keys()]).toEqual(refused);
    for (const message of failures.values()) expect(message).toContain('permission denied');
  });

  test('what they do is recorded under their login, or under the name they give', async () => {
    const client = people.get('operator');
    await client?.query(`select staffetta.replay('person', '42', 'directory')`);
    const actor = async () =>
      (await db.query(`select last_actor from staffetta.delivery where target = 'directory' and key = '42'`))[0];
    expect(await actor()).toEqual((await client?.query('select session_user::text as last_actor'))?.rows[0]);
    await client?.query(
      `begin; set local staffetta.actor = 'carla'; select staffetta.replay('person', '42', 'directory'); commit`,
    );
    expect(await actor()).toEqual({ last_actor: 'carla' });
  });
});

describe('the roles', () => {
  let server: PostgresServer;
  let roles: string;
  beforeAll(async () => {
    server = await startPostgres({ durable: false });
    roles = await readFile(new URL('../../sql/100-roles.sql', import.meta.url), 'utf8');
  });
  afterAll(() => server.close());

  async function asUser<T>(user: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
    const client = new pg.Client({
      connectionString: Object.assign(
        new URL(server.url()),
        user === 'postgres' ? {} : { username: user, password: 'x' },
      ).href,
    });
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  }
  const existing = () =>
    asUser('postgres', async (client) =>
      (await client.query(`select rolname from pg_roles where rolname like 'staffetta%' order by 1`)).rows.map(
        ({ rolname }) => rolname,
      ),
    );

  test('are not made where the owner may not, and nothing fails', async () => {
    await asUser('postgres', (client) => client.query(`create role plain login password 'x'`));
    const notices: string[] = [];
    await asUser('plain', async (client) => {
      client.on('notice', ({ message }) => notices.push(message ?? ''));
      await client.query(roles);
    });
    expect(await existing()).toEqual([]);
    expect(notices).toHaveLength(3);
    expect(notices[0]).toContain('create role staffetta_reader nologin');
  });

  test('are made by an owner with CREATEROLE, each including the one before, once', async () => {
    await asUser('postgres', (client) => client.query(`create role maker login createrole password 'x'`));
    await asUser('maker', (client) => client.query(roles));
    await asUser('maker', (client) => client.query(roles));
    expect(await existing()).toEqual(['staffetta_admin', 'staffetta_operator', 'staffetta_reader']);
    await asUser('postgres', async (client) => {
      await client.query(`create role carla login; grant staffetta_admin to carla`);
      const { rows } = await client.query(`select pg_has_role('carla', 'staffetta_reader', 'usage') as included`);
      expect(rows).toEqual([{ included: true }]);
    });
  });

  test('that somebody else made are left alone, with a word on what to grant', async () => {
    await asUser('postgres', (client) =>
      client
        .query('revoke staffetta_reader from staffetta_operator granted by maker')
        .catch(() => client.query('revoke staffetta_reader from staffetta_operator')),
    );
    const notices: string[] = [];
    await asUser('plain', async (client) => {
      client.on('notice', ({ message }) => notices.push(message ?? ''));
      await client.query(roles);
    });
    expect(notices).toEqual([
      expect.stringContaining('An administrator may run: grant staffetta_reader to staffetta_operator'),
    ]);
  });
});
