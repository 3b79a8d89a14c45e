import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createInstallation, type Installation } from './installation.ts';

let db: Installation;
beforeAll(async () => {
  db = await createInstallation();
});
afterAll(() => db.close());
beforeEach(async () => {
  await db.database.query(
    'truncate registry.person, registry.team, registry.member, staffetta.link, staffetta.reference',
  );
  await db.database.query(`insert into registry.person (id, uid, name, password) values (42, 'ada', 'Ada', 'geheim')`);
});

interface Change extends pg.QueryResultRow {
  target: string;
  operation: string;
  remote_id: string | null;
  attribute: string | null;
  before: unknown;
  after: unknown;
}
const preview = async (entity: string, key: string) =>
  (await db.query<Change>('select * from staffetta.preview($1, $2)', [entity, key]))
    .filter(({ target }) => target === 'directory')
    .map(({ target: _, ...row }) => row);

/** The link as settling leaves it: secrets as keyed hashes, long values as hashes. */
const settle = (entity: string) =>
  db.query(
    `insert into staffetta.link (target, entity, key, remote_id, fingerprint, attributes)
     select 'directory', $1, d.key::text, d.remote_id, d.fingerprint, (
       select jsonb_object_agg(a.name, (select jsonb_agg(staffetta.stored_value(v, a.name = 'userPassword')) from jsonb_array_elements(a.list) v))
       from jsonb_each(d.attributes) a(name, list))
     from staffetta.desired_directory_${entity} d where not d.released`,
    [entity],
  );

const ada = 'uid=ada,ou=people';

describe('a preview', () => {
  test('of somebody new shows the entry to be created, secrets masked', async () => {
    expect(await preview('person', ' 042')).toEqual([
      { operation: 'create', remote_id: ada, attribute: null, before: null, after: null },
      { operation: 'create', remote_id: ada, attribute: 'cn', before: null, after: ['Ada'] },
      { operation: 'create', remote_id: ada, attribute: 'userPassword', before: null, after: ['********'] },
    ]);
  });

  test('of an entry that is right shows nothing', async () => {
    await db.database.query('update registry.person set name = $1', ['x'.repeat(300)]);
    await settle('person');
    expect(await preview('person', '42')).toEqual([
      { operation: 'nothing', remote_id: ada, attribute: null, before: null, after: null },
    ]);
  });

  test('shows what differs, before and after, and never a secret', async () => {
    await settle('person');
    await db.database.query(`update registry.person set name = 'Ada Byron', password = 'neu', room = 5`);
    expect(await preview('person', '42')).toEqual([
      { operation: 'update', remote_id: ada, attribute: 'cn', before: ['Ada'], after: ['Ada Byron'] },
      { operation: 'update', remote_id: ada, attribute: 'roomNumber', before: null, after: ['200'] },
      { operation: 'update', remote_id: ada, attribute: 'userPassword', before: ['********'], after: ['********'] },
    ]);
  });

  test('shows a rename with the attributes that change with it', async () => {
    await settle('person');
    await db.database.query(`update registry.person set uid = 'byron', name = 'Ada Byron'`);
    expect(await preview('person', '42')).toEqual([
      { operation: 'rename', remote_id: ada, attribute: null, before: [ada], after: ['uid=byron,ou=people'] },
      { operation: 'update', remote_id: 'uid=byron,ou=people', attribute: 'cn', before: ['Ada'], after: ['Ada Byron'] },
    ]);
  });

  test('inside a transaction shows what a change would do, and a rollback leaves no trace', async () => {
    await settle('person');
    const client = await db.connectAs('staffetta_operator');
    await db.database.query(
      `grant usage on schema registry to public; grant select, update, delete on registry.person to public`,
    );
    await client.query('begin');
    await client.query(`update registry.person set name = 'Somebody else' where id = 42`);
    const { rows } = await client.query(
      `select attribute, before, after from staffetta.preview('person', '42') where target = 'directory'`,
    );
    await client.query('rollback');
    expect(rows).toEqual([{ attribute: 'cn', before: ['Ada'], after: ['Somebody else'] }]);
    expect((await preview('person', '42')).map(({ operation }) => operation)).toEqual(['nothing']);
    expect(await db.query('select from staffetta.delivery')).toEqual([]);
  });

  test('of who leaves shows that the entry is deprovisioned, or released where only "only" is left', async () => {
    await settle('person');
    await db.database.query('update registry.person set guest = true');
    expect(await preview('person', '42')).toMatchObject([{ operation: 'release', remote_id: ada }]);
    await db.database.query('delete from registry.person');
    expect(await preview('person', '42')).toMatchObject([{ operation: 'keep', remote_id: ada }]);
    await db.query('delete from staffetta.link');
    expect(await preview('person', '42')).toMatchObject([{ operation: 'nothing', remote_id: null }]);
  });

  test('says why something cannot be done', async () => {
    await db.database.query('update registry.person set room = 0');
    expect(await preview('person', '42')).toMatchObject([{ operation: 'park', after: ['division by zero'] }]);
    await db.database.query('update registry.person set room = null, uid = null');
    expect(await preview('person', '42')).toMatchObject([
      { operation: 'park', after: ['a column of its remote id is empty'] },
    ]);
    await db.database.query('alter view registry.v_person rename to v_old');
    const rows = await preview('person', '42').finally(() =>
      db.database.query('alter view registry.v_old rename to v_person'),
    );
    expect(rows).toMatchObject([{ operation: 'wait', after: ['relation "registry.v_person" does not exist'] }]);
  });

  test('of a group shows its members by their entries', async () => {
    await db.database.query(
      `insert into registry.team values (1, 'sailors'); insert into registry.member values (1, 42), (1, 43)`,
    );
    await settle('team');
    await settle('person');
    await db.query(
      `insert into staffetta.reference (target, entity, key, attribute, ref_entity, ref_key, applied) values
       ('directory', 'team', '1', 'member', 'person', '43', null), ('directory', 'team', '1', 'member', 'person', '44', 'uid=eve,ou=people')`,
    );
    expect(await preview('team', '1')).toEqual([
      {
        operation: 'update',
        remote_id: 'cn=sailors,ou=teams',
        attribute: 'member',
        before: ['uid=eve,ou=people'],
        after: [ada, '(no entry yet: person 43)'],
      },
    ]);
  });

  test('of a group shows the placeholder, and what an empty one becomes under each policy', async () => {
    const under = (empty: string) =>
      db.query(
        `update staffetta.route set refs = jsonb_set(refs, '{member, empty}', to_jsonb($1::text)) where entity = 'team'`,
        [empty],
      );
    const shown = async () =>
      (await preview('team', '1')).map(({ operation, before, after }) => ({ operation, before, after }));
    const nobody = ['cn=nobody'];
    await db.database.query(`insert into registry.team values (1, 'sailors')`);
    const cn = { operation: 'create', before: null, after: ['sailors'] };
    expect((await shown()).slice(1)).toEqual([cn, { operation: 'create', before: null, after: nobody }]);
    await settle('team');
    expect(await shown()).toEqual([{ operation: 'nothing', before: null, after: null }]);
    await db.database.query('insert into registry.member values (1, 42)');
    await settle('person');
    expect(await shown()).toEqual([{ operation: 'update', before: nobody, after: [ada] }]);

    await db.query(
      `insert into staffetta.reference (target, entity, key, attribute, ref_entity, ref_key, applied) values ('directory', 'team', '1', 'member', 'person', '42', $1)`,
      [ada],
    );
    await db.database.query('delete from registry.member');
    expect(await shown()).toEqual([{ operation: 'update', before: [ada], after: nobody }]);
    await under('keep');
    expect(await shown()).toEqual([{ operation: 'nothing', before: null, after: null }]);
    await under('delete');
    expect(await shown()).toEqual([{ operation: 'remove', before: null, after: ['no member has an entry'] }]);
    await under('placeholder');
  });

  test('shows what the policies of attributes write', async () => {
    const under = (policies: object) =>
      db.query(`update staffetta.route set policies = $1 where (target, entity) = ('directory', 'person')`, [policies]);
    await settle('person');
    await db.query(
      `update staffetta.link set attributes = attributes || '{"cn": ["Ada", "Countess"], "roomNumber": ["1"]}'`,
    );
    const shown = async () =>
      (await preview('person', '42')).map(({ operation, attribute }) => `${operation} ${attribute ?? ''}`);
    expect(await shown()).toEqual(['update cn', 'update roomNumber']);
    await under({ cn: 'add', roomNumber: 'initial' });
    expect(await shown()).toEqual(['nothing ']);
    await db.database.query(`update registry.person set name = 'Augusta', room = 5`);
    expect(await shown()).toEqual(['update cn']);
    await db.query('delete from staffetta.link');
    expect(await shown()).toEqual(['create ', 'create cn', 'create roomNumber', 'create userPassword']);
    await under({});
  });

  test('of a merged attribute compares long values that the link keeps whole', async () => {
    await db.database.query('update registry.person set name = $1', ['x'.repeat(300)]);
    await settle('person');
    await db.query(
      `update staffetta.link set attributes = jsonb_set(attributes, '{cn}', jsonb_build_array($1::text))`,
      ['x'.repeat(300)],
    );
    expect(await preview('person', '42')).toMatchObject([{ operation: 'nothing' }]);
  });

  test('of who has left shows the next step, and when it is due', async () => {
    const day = 86_400;
    const under = (...steps: readonly (readonly [string, number])[]) =>
      db.query(`update staffetta.route set deprovision = $1 where (target, entity) = ('directory', 'person')`, [
        JSON.stringify(steps.map(([action, after]) => ({ do: action, after }))),
      ]);
    const shown = async () => (await preview('person', '42')).map(({ operation, after }) => ({ operation, after }));
    const someday = [expect.stringMatching(/^delete on \d{4}-\d{2}-\d{2} \d{2}:\d{2} UTC$/)];
    await settle('person');
    await db.database.query('delete from registry.person');
    await under(['disable', 10], ['delete', 90 * day]);
    expect(await shown()).toEqual([{ operation: 'disable', after: null }]);
    await under(['delete', 90 * day]);
    expect(await shown()).toEqual([{ operation: 'remove', after: someday }]);
    await under(['disable', 10], ['delete', 90 * day]);
    await db.query(`update staffetta.link set state = 'disabled', absent_since = now() - interval '89 days'`);
    expect(await shown()).toEqual([{ operation: 'nothing', after: someday }]);
    await db.query(`update staffetta.link set absent_since = now() - interval '90 days'`);
    expect(await shown()).toEqual([{ operation: 'remove', after: null }]);
    await under(['disable', 10]);
    expect(await shown()).toEqual([{ operation: 'nothing', after: null }]);
    await under();
  });
});
