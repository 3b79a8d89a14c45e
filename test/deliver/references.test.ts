import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { compareMembers, type Members } from '../../src/deliver/references.ts';
import { createStage, type Stage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await createStage();
});
beforeEach(async () => {
  await stage.clear();
  await stage.query(`insert into registry.team values (1, 'red'), (2, 'blue')`);
});
afterAll(() => stage.close());

const teams = {
  target: 'directory',
  entity: 'team',
  keyType: 'bigint',
  references: new Map([['member', 'person']]),
  refersBy: 'remote id' as const,
};
const compare = (keys: readonly number[], whole: readonly number[] = []) =>
  compareMembers(stage.pool, teams, keys.map(String), whole.map(String));
const join = (team: number, ...people: readonly number[]) =>
  stage.query('insert into registry.member select $1, unnest($2::bigint[])', [team, people]);
const leave = (team: number, person: number) =>
  stage.query('delete from registry.member where (team_id, person_id) = ($1, $2)', [team, person]);
const linkPerson = async (key: number, remoteId = `uid=p${key}`): Promise<void> => {
  await stage.query(
    `insert into staffetta.link (target, entity, key, remote_id, attributes) values ('directory', 'person', $1, $2, '{}')
     on conflict (target, entity, key) do update set remote_id = excluded.remote_id`,
    [`${key}`, remoteId],
  );
};
/** What settling records once the members were written. */
const write = () =>
  stage.query(
    `update staffetta.reference s set applied = (select remote_id from staffetta.link l where (l.target, l.entity, l.key) = (s.target, s.ref_entity, s.ref_key))`,
  );
const inShort = (members: Members | undefined) =>
  members?.members
    .map(({ refKey, applied, wanted, desired }) => `${refKey}: ${applied} → ${wanted}${desired ? '' : ', parts'}`)
    .sort();

describe('comparing members', () => {
  test('records who is a member before looking who has an entry (PROTOCOL F1)', async () => {
    await join(1, 10, 11);
    await linkPerson(10);
    expect(inShort((await compare([1])).get('1'))).toEqual(['10: null → uid=p10']);
    expect(
      await stage.query(
        'select key, attribute, ref_entity, ref_key, applied from staffetta.reference order by ref_key',
      ),
    ).toEqual([
      { key: '1', attribute: 'member', ref_entity: 'person', ref_key: '10', applied: null },
      { key: '1', attribute: 'member', ref_entity: 'person', ref_key: '11', applied: null },
    ]);
  });

  test('leaves out who joins while it looks: the joining has an event of its own', async () => {
    await join(1, 10);
    await linkPerson(10);
    await linkPerson(11);
    let queries = 0;
    const query: typeof stage.pool.query = async (...args: unknown[]) => {
      queries += 1;
      if (queries === 2) await join(1, 11);
      return Reflect.apply(stage.pool.query, stage.pool, args);
    };
    const members = await compareMembers({ query }, teams, ['1'], []);
    expect(inShort(members.get('1'))).toEqual(['10: null → uid=p10']);
    expect(inShort((await compare([1])).get('1'))).toEqual(['10: null → uid=p10', '11: null → uid=p11']);
  });

  test('has members stand under their stable ids, where the target wants that, and not at all without one', async () => {
    await join(1, 10, 11);
    await linkPerson(10);
    await linkPerson(11);
    await stage.query(`update staffetta.link set stable_id = 'id-10' where key = '10'`);
    const members = await compareMembers(stage.pool, { ...teams, refersBy: 'stable id' }, ['1'], []);
    expect(inShort(members.get('1'))).toEqual(['10: null → id-10']);
  });

  test('lets only differences leave the database, and counts all', async () => {
    await join(1, ...Array.from({ length: 200 }, (_, index) => index));
    for (let key = 0; key < 200; key += 1) await linkPerson(key);
    await compare([1]);
    await write();
    expect((await compare([1])).get('1')).toEqual({
      members: [],
      counts: new Map([['member', { applied: 200, wanted: 200 }]]),
    });
    await linkPerson(7, 'uid=renamed');
    await leave(1, 8);
    const members = (await compare([1])).get('1');
    expect(inShort(members)).toEqual(['7: uid=p7 → uid=renamed', '8: uid=p8 → null, parts']);
    expect(members?.counts.get('member')).toEqual({ applied: 200, wanted: 199 });
  });

  test('gives every member of a holder that is read', async () => {
    await join(1, 10, 11);
    await join(2, 10);
    await linkPerson(10);
    await compare([1, 2]);
    await write();
    const members = await compare([1, 2], [1]);
    expect(inShort(members.get('1'))).toEqual(['10: uid=p10 → uid=p10', '11: null → null']);
    expect(inShort(members.get('2'))).toEqual([]);
  });

  test('has a member whose link is gone leave the entry, but not the interest in it', async () => {
    await join(1, 10);
    await linkPerson(10);
    await compare([1]);
    await write();
    await stage.query('delete from staffetta.link');
    expect(inShort((await compare([1])).get('1'))).toEqual(['10: uid=p10 → null']);
  });

  test('knows nothing of a holder without members', async () => {
    expect((await compare([1])).get('1')).toBeUndefined();
  });

  test('misses no arrival: a link committed while we looked finds the interest, or is found itself', async () => {
    // The two orders in which the one can pass the other; the interest is committed before the comparison begins.
    for (let key = 100; key < 130; key += 1) {
      await join(1, key);
      const arrive = stage.query(
        `with made as (insert into staffetta.link (target, entity, key, remote_id, attributes) values ('directory', 'person', $1, 'uid=new', '{}') returning key)
         select key from made`,
        [`${key}`],
      );
      const [members] = await Promise.all([compare([1]), arrive]);
      const seen = members.get('1')?.members.some(({ refKey, wanted }) => refKey === `${key}` && wanted === 'uid=new');
      const [told] = await stage.query<{ found: boolean }>(
        `select exists (select from staffetta.reference where ref_key = $1) as found`,
        [`${key}`],
      );
      expect(seen || told?.found).toBe(true);
    }
  });

  test('has the holder look again when a member’s link comes after it looked', async () => {
    await join(1, 10);
    await stage.owe('team', 1);
    await stage.settle();
    expect(stage.target.entry('cn=red,ou=teams')).toEqual({ cn: ['red'], member: ['cn=nobody'] });
    await stage.addPerson(10, 'ada');
    await stage.owe('person', 10);
    await stage.settle();
    expect(stage.target.entry('cn=red,ou=teams')?.member).toEqual(['uid=ada,ou=people']);
  });

  test('has the holder see a link that was committed between its interest and its comparison', async () => {
    await join(1, 10);
    const database = stage.interpose({ after: () => linkPerson(10) });
    const members = await compareMembers(database, teams, ['1'], []);
    expect(inShort(members.get('1'))).toEqual(['10: null → uid=p10']);
  });
});

describe('a group of ten thousand', () => {
  /** A pool that counts the rows that leave the database. */
  const counting = () => {
    const counted = { rows: 0 };
    const query: typeof stage.pool.query = async (...args: unknown[]) => {
      const answer = await Reflect.apply(stage.pool.query, stage.pool, args);
      counted.rows += answer.rows.length;
      return answer;
    };
    return { counted, database: { query } };
  };

  test('has one value moved for one change, and ships no other member', async () => {
    await stage.query(
      `insert into staffetta.link (target, entity, key, remote_id, attributes)
       select 'directory', 'person', k::text, 'uid=p' || k, '{}' from generate_series(1, 10000) k`,
    );
    await stage.query('insert into registry.member select 1, k from generate_series(1, 9999) k');
    await stage.owe('team', 1);
    await stage.settle();
    expect(stage.target.entry('cn=red,ou=teams')?.member).toHaveLength(9999);

    await leave(1, 5);
    await join(1, 10_000);
    await stage.owe('team', 1);
    const { counted, database } = counting();
    await stage.deliver(await stage.claim(), stage.destination(), undefined, database);
    expect(stage.target.changes.at(-1)).toMatchObject({
      operation: 'update',
      changes: [
        { attribute: 'member', action: 'add', values: ['uid=p10000'] },
        { attribute: 'member', action: 'delete', values: ['uid=p5'] },
      ],
    });
    expect(counted.rows).toBeLessThan(10);
    expect(await stage.deliveries()).toEqual([]);
  });
});
