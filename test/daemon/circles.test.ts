/** Entries that refer to each other, in circles: nobody waits for whoever waits for him. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createRegistry, type Registry } from '../setup/registry.ts';

let registry: Registry;
const query = (sql: string, values?: readonly unknown[]) => registry.query(sql, values);
const person = (uid: string) => `uid=${uid},ou=people,${registry.directory.suffix}`;
const team = (name: string) => `cn=${name},ou=groups,${registry.directory.suffix}`;
const referredBy = async (entry: Promise<Record<string, string[]> | undefined>) => (await entry)?.seeAlso?.toSorted();
const members = async (id: number) => (await registry.team(id))?.member?.toSorted();

/** A second run finds nothing to do: neither a rescan, nor a forced replay, whoever looks first. */
async function nothingMore(): Promise<void> {
  const stamps = () =>
    registry.directory.entries('(|(objectClass=inetOrgPerson)(objectClass=groupOfNames))', 'entryCSN');
  const before = await stamps();
  expect((await query('select sum(enqueued)::int as enqueued from staffetta.rescan()'))[0]).toEqual({ enqueued: 0 });
  await query(`select staffetta.replay_all('team'), staffetta.replay_all('person')`);
  await registry.calm();
  expect(await stamps()).toEqual(before);
}

beforeAll(async () => {
  registry = await createRegistry();
  await query(`
    create table registry.part (whole bigint, part bigint, primary key (whole, part));
    create or replace view registry.v_person as
      select p.*, array(select e.address from registry.email e where e.person_id = p.id order by 1) as emails,
        array(select m.team_id from registry.member m where m.person_id = p.id) as teams
      from registry.person p where not hidden;
    create or replace view registry.v_team as
      select t.*, array(select m.person_id from registry.member m where m.team_id = t.id) as members,
        array(select o.part from registry.part o where o.whole = t.id) as parts
      from registry.team t`);
  await registry.configure(
    ['timeout: 3s', 'timeout: 3s\n    slots: 4\n    batch: 5'],
    ['registry.email: person_id }', 'registry.email: person_id, registry.member: person_id }'],
    ['registry.member: team_id }', 'registry.member: team_id, registry.part: whole }'],
    ['jpegPhoto: { from: photo }', 'seeAlso: { ref: team, from: teams }'],
    ['businessCategory: { from: id }', 'businessCategory: { from: id }\n          seeAlso: { ref: team, from: parts }'],
  );
  await registry.apply();
  await registry.start();
  await registry.start();
});
afterAll(() => registry.close());

test('people and groups that refer to each other find each other, whoever comes first, and part again', async () => {
  await query(`insert into registry.person (id, uid) values (1, 'anna'), (2, 'bruno')`);
  await query(`insert into registry.team values (1, 'choir'), (2, 'crew')`);
  await query('insert into registry.member values (1, 1), (2, 1), (1, 2)');
  await registry.calm();
  expect(await referredBy(registry.person(1))).toEqual([team('choir'), team('crew')]);
  expect(await members(1)).toEqual([person('anna'), person('bruno')]);
  await query(
    `update registry.person set uid = 'annamaria' where id = 1; update registry.team set name = 'chorus' where id = 1`,
  );
  await registry.calm();
  expect(await referredBy(registry.person(1))).toEqual([team('chorus'), team('crew')]);
  expect(await members(1)).toEqual([person('annamaria'), person('bruno')]);
  await nothingMore();
  await query('delete from registry.team where id = 1');
  await registry.calm();
  expect(await referredBy(registry.person(2))).toEqual(['cn=nobody']);
});

test('a group in a group that is in it, and one in itself, come, are renamed and go', async () => {
  await query('delete from registry.team');
  await query(`insert into registry.team values (3, 'left'), (4, 'right'), (5, 'self')`);
  await query('insert into registry.part values (3, 4), (4, 3), (5, 5)');
  await registry.calm();
  const parts = () => Promise.all([3, 4, 5].map((id) => referredBy(registry.team(id))));
  expect(await parts()).toEqual([[team('right')], [team('left')], [team('self')]]);
  await query(`update registry.team set name = name || ' hand' where id in (3, 4, 5)`);
  await registry.calm();
  expect(await parts()).toEqual([[team('right hand')], [team('left hand')], [team('self hand')]]);
  await nothingMore();
  await query('delete from registry.team where id in (3, 5)');
  await registry.calm();
  expect(await parts()).toEqual([undefined, ['cn=nobody'], undefined]);
});

test('thirty groups, each with all others and with people who refer to it, by eight pumps: no deadlock', async () => {
  await query('truncate registry.person, registry.email, registry.team, registry.member, registry.part');
  await registry.calm();
  await query(`
    insert into registry.team select n, 't' || n from generate_series(1, 30) n;
    insert into registry.part select n, m from generate_series(1, 30) n, generate_series(1, 30) m where n <> m;
    insert into registry.person (id, uid) select n, 'p' || n from generate_series(1, 30) n;
    insert into registry.member select n, m from generate_series(1, 30) n, generate_series(1, 30) m`);
  await registry.calm();
  await query(`update registry.team set name = 'u' || id; update registry.person set uid = 'q' || id`);
  await registry.calm();
  const names = (entry: (name: string) => string, letter: string, but?: number) =>
    Array.from({ length: 30 }, (_, index) => index + 1)
      .filter((n) => n !== but)
      .map((n) => entry(`${letter}${n}`))
      .toSorted();
  for (const id of [1, 17, 30]) {
    expect(await referredBy(registry.team(id))).toEqual(names(team, 'u', id));
    expect(await members(id)).toEqual(names(person, 'q'));
    expect(await referredBy(registry.person(id))).toEqual(names(team, 'u'));
  }
  await nothingMore();
  expect(await query('select deadlocks::int from pg_stat_database where datname = current_database()')).toEqual([
    { deadlocks: 0 },
  ]);
  expect(await query(`select from staffetta.journal where result in ('retried', 'parked')`)).toEqual([]);
});
