import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { sqlstate } from '../../src/database/sqlstate.ts';
import type { Claimed } from '../../src/deliver/claim.ts';
import { load } from '../../src/deliver/load.ts';
import { claimed } from './situation.ts';
import { createStage, type Stage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await createStage();
});
beforeEach(() => stage.clear());
afterAll(() => stage.close());

const loadKeys = (...keys: readonly (number | Claimed)[]) =>
  load(
    stage.pool,
    'directory',
    'person',
    'bigint',
    keys.map((key) => (typeof key === 'number' ? claimed({ key: `${key}` }) : key)),
  );
const linkTo = (key: number, fingerprint: string | null) =>
  stage.query(
    `insert into staffetta.link (target, entity, key, remote_id, stable_id, attributes, fingerprint) values ('directory', 'person', $1, 'uid=ada,ou=people', 's1', '{"cn": ["Ada"]}', $2)`,
    [`${key}`, fingerprint],
  );

describe('loading claimed keys', () => {
  test('reads desired state, and that there is no link', async () => {
    await stage.addPerson(1, 'ada', { mail: ['a@x'] });
    const { loaded, unloadable } = await loadKeys(1);
    expect(unloadable).toEqual([]);
    expect(loaded).toEqual([
      {
        claimed: claimed(),
        desired: {
          released: false,
          remoteId: 'uid=ada,ou=people',
          attributes: { objectClass: ['person'], cn: ['ada'], mail: ['a@x'] },
          disable: { remote_id: 'uid=ada,ou=former', attributes: { employeeType: ['former'] } },
          match: { mail: 'a@x' },
          fingerprint: expect.any(String),
        },
        link: undefined,
        wantedBy: undefined,
      },
    ]);
  });

  test('finds an absent key absent, among others', async () => {
    await stage.addPerson(1, 'ada');
    const { loaded } = await loadKeys(2, 1);
    expect(loaded.map(({ claimed, desired }) => [claimed.key, desired?.remoteId])).toEqual([
      ['2', undefined],
      ['1', 'uid=ada,ou=people'],
    ]);
  });

  test('leaves the values in the database where the fingerprint says that nothing differs', async () => {
    await stage.addPerson(1, 'ada');
    const fingerprint = (await loadKeys(1)).loaded[0]?.desired?.fingerprint ?? null;
    await linkTo(1, fingerprint);
    expect((await loadKeys(1)).loaded[0]).toMatchObject({
      desired: { attributes: null, fingerprint },
      link: {
        remoteId: 'uid=ada,ou=people',
        stableId: 's1',
        state: 'active',
        attributes: { cn: ['Ada'] },
        fingerprint,
      },
    });
    const unsure = await loadKeys(claimed({ unsure: true }));
    expect(unsure.loaded[0]?.desired?.attributes).toMatchObject({ cn: ['ada'] });
  });

  test('tells what is released from what is absent, and NULL in the remote id from both', async () => {
    await stage.addPerson(1, 'guest', { guest: true });
    await stage.addPerson(2, null);
    const { loaded } = await loadKeys(1, 2, 3);
    expect(loaded.map(({ desired }) => desired && [desired.released, desired.remoteId])).toEqual([
      [true, null],
      [false, null],
      undefined,
    ]);
  });

  test('finds who waits for the remote id of a key and has no entry yet (PROTOCOL C4)', async () => {
    await linkTo(42, 'f');
    await stage.owe('person', 42, 43);
    await stage.query(
      `update staffetta.delivery set wait_entity = 'person', wait_key = '42', wait_id = 'uid=ada,ou=people' where key = '43'`,
    );
    expect((await loadKeys(42)).loaded[0]?.wantedBy).toEqual({ entity: 'person', key: '43' });
    await linkTo(43, 'g');
    expect((await loadKeys(42)).loaded[0]?.wantedBy).toBeUndefined();
  });

  test('cannot load a key with two rows, and says so', async () => {
    await stage.addPerson(1, 'ada');
    await stage.addPerson(1, 'eve');
    await stage.addPerson(2, 'bob');
    const { loaded, unloadable } = await loadKeys(1, 2);
    expect(loaded.map(({ claimed }) => claimed.key)).toEqual(['2']);
    expect(unloadable).toMatchObject([
      { claimed: { key: '1' }, reason: 'the view has 2 rows with key 1; expected one' },
    ]);
  });

  test('isolates the rows that raise an error, each with what PostgreSQL said (PROTOCOL B12)', async () => {
    for (let id = 1; id <= 20; id += 1) await stage.addPerson(id, `p${id}`, { room: id === 7 || id === 16 ? 0 : id });
    const { loaded, unloadable } = await loadKeys(...Array.from({ length: 20 }, (_, index) => index + 1));
    expect(loaded).toHaveLength(18);
    expect(unloadable.map(({ claimed, reason }) => [claimed.key, reason])).toEqual([
      ['7', 'division by zero'],
      ['16', 'division by zero'],
    ]);
  });

  test('isolates the row that a function of the administrator refuses', async () => {
    for (let id = 1; id <= 5; id += 1) await stage.addPerson(id, `p${id}`);
    await stage.query(`create or replace function registry.checked(name text) returns text language plpgsql as $$
      begin if name = 'p3' then raise exception 'no % here', name; end if; return name; end $$`);
    await stage.query(`create or replace view registry.v_person as
      select id, uid, registry.checked(name) as name, mail, password, room, guest from registry.person`);
    try {
      const { loaded, unloadable } = await loadKeys(1, 2, 3, 4, 5);
      expect(loaded).toHaveLength(4);
      expect(unloadable).toMatchObject([{ claimed: { key: '3' }, reason: 'no p3 here' }]);
    } finally {
      await stage.query('create or replace view registry.v_person as select * from registry.person');
    }
  });

  test('isolates a key that is no value of its type any more', async () => {
    await stage.addPerson(1, 'ada');
    const { loaded, unloadable } = await loadKeys(1, claimed({ key: 'x' }));
    expect(loaded).toHaveLength(1);
    expect(unloadable).toMatchObject([
      { claimed: { key: 'x' }, reason: expect.stringContaining('invalid input syntax') },
    ]);
  });

  test('throws, knowing nothing of any key, where the view or a column of it is missing, and recovers (PROTOCOL B12, C1)', async () => {
    await stage.addPerson(1, 'ada');
    await loadKeys(1);
    const [{ definition } = { definition: '' }] = await stage.query<{ definition: string }>(
      `select pg_get_viewdef('registry.v_person') as definition`,
    );
    const codeOf = (work: Promise<unknown>) => work.then(() => 'none', sqlstate);
    await stage.query('drop view registry.v_person');
    expect(await codeOf(loadKeys(1))).toBe('42P01');
    await stage.query('create view registry.v_person as select id, uid, name from registry.person');
    expect(await codeOf(loadKeys(1))).toBe('42703');
    await stage.query('drop view registry.v_person');
    await stage.query(`create view registry.v_person as ${definition}`);
    expect((await loadKeys(1)).loaded[0]?.desired?.remoteId).toBe('uid=ada,ou=people');
  });

  test('throws where the desired view itself is missing', async () => {
    const lost = load(stage.pool, 'directory', 'nobody', 'bigint', [claimed()]);
    await expect(lost).rejects.toMatchObject({ code: '42P01' });
  });
});
