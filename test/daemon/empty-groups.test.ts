import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createRegistry, type Registry } from '../setup/registry.ts';

let registry: Registry;
const query = (sql: string, values?: readonly unknown[]) => registry.query(sql, values);
const members = async (id: number) => (await registry.team(id))?.member;
const dn = (uid: string) => `uid=${uid},ou=people,${registry.directory.suffix}`;

/** Nothing is found to be done: neither by a rescan, nor by a forced replay. */
async function nothingMore(): Promise<void> {
  const before = await registry.directory.entries('(objectClass=groupOfNames)', 'entryCSN');
  expect((await query('select sum(enqueued)::int as enqueued from staffetta.rescan()'))[0]).toEqual({ enqueued: 0 });
  await query(`select staffetta.replay_all('team')`);
  await registry.calm();
  expect(await registry.directory.entries('(objectClass=groupOfNames)', 'entryCSN')).toEqual(before);
}

async function begin(...changes: readonly (readonly [string, string])[]): Promise<void> {
  registry = await createRegistry();
  await registry.configure(...changes);
  await registry.apply();
  await registry.start();
}

async function anew(): Promise<void> {
  await query('truncate registry.person, registry.email, registry.team, registry.member');
  await registry.calm();
  await query(`insert into registry.person (id, uid) values (1, 'anna'), (2, 'bruno')`);
  await query(`insert into registry.team values (1, 'choir')`);
  await registry.calm();
}

describe('a group that is not there without a member (empty: delete)', () => {
  beforeAll(() => begin(['empty: placeholder', 'empty: delete']));
  afterAll(() => registry.close());
  beforeEach(anew);

  test('comes with its first member, goes with the last, and comes again', async () => {
    expect(await registry.team(1)).toBeUndefined();
    await nothingMore();
    await query('insert into registry.member values (1, 1)');
    await registry.calm();
    expect(await members(1)).toEqual([dn('anna')]);
    await query('delete from registry.member');
    await registry.calm();
    expect(await registry.team(1)).toBeUndefined();
    await nothingMore();
    await query('insert into registry.member values (1, 2)');
    await registry.calm();
    expect(await members(1)).toEqual([dn('bruno')]);
    await nothingMore();
  });

  test('counts as empty while its members have no entries, and is made when the first of them has one', async () => {
    await query('insert into registry.member values (1, 7)');
    await registry.calm();
    expect(await registry.team(1)).toBeUndefined();
    await nothingMore();
    await query(`insert into registry.person (id, uid) values (7, 'gino')`);
    await registry.calm();
    expect(await members(1)).toEqual([dn('gino')]);
    await query('delete from registry.person where id = 7');
    await registry.calm();
    expect(await registry.team(1)).toBeUndefined();
    await query(`insert into registry.person (id, uid) values (7, 'gino')`);
    await registry.calm();
    expect(await members(1)).toEqual([dn('gino')]);
  });

  test('is found by a rescan where an event was missed', async () => {
    const silently = async (sql: string) =>
      query(`begin; set local session_replication_role = replica; ${sql}; commit`);
    await silently('insert into registry.member values (1, 1)');
    expect(await query(`select enqueued from staffetta.rescan('directory', 'team')`)).toEqual([{ enqueued: '1' }]);
    await registry.calm();
    expect(await members(1)).toEqual([dn('anna')]);
    await silently('delete from registry.member');
    expect(await query(`select enqueued from staffetta.rescan('directory', 'team')`)).toEqual([{ enqueued: '1' }]);
    await registry.calm();
    expect(await registry.team(1)).toBeUndefined();
  });

  test('is no business of ours where somebody else made one of its name', async () => {
    await registry.directory.add(
      `dn: cn=crew,ou=groups,${registry.directory.suffix}\nobjectClass: groupOfNames\ncn: crew\nmember: cn=theirs\n`,
    );
    await query(`insert into registry.team values (2, 'crew')`);
    await registry.calm();
    const [entry] = (await registry.directory.entries('(cn=crew)')).values();
    expect(entry?.member).toEqual(['cn=theirs']);
  });

  test('shows in a preview what it waits for', async () => {
    const preview = async () => (await query(`select operation, after from staffetta.preview('team', '1')`))[0];
    expect(await preview()).toEqual({ operation: 'nothing', after: ['no member has an entry'] });
    await query('insert into registry.member values (1, 1)');
    await registry.calm();
    expect(await preview()).toEqual({ operation: 'nothing', after: null });
  });
});

describe('a group that keeps its last member (empty: keep)', () => {
  beforeAll(() => begin(['empty: placeholder', 'empty: keep']));
  afterAll(() => registry.close());
  beforeEach(anew);

  test('has a placeholder before the first, and the last one until there is another', async () => {
    expect(await members(1)).toEqual(['cn=nobody']);
    await query('insert into registry.member values (1, 1), (1, 2)');
    await registry.calm();
    expect(await members(1)).toHaveLength(2);
    await query('delete from registry.member where person_id = 2');
    await registry.calm();
    expect(await members(1)).toEqual([dn('anna')]);
    await query('delete from registry.member');
    await registry.calm();
    expect(await members(1)).toEqual([dn('anna')]);
    await nothingMore();
    await query('insert into registry.member values (1, 2)');
    await registry.calm();
    expect(await members(1)).toEqual([dn('bruno')]);
    await nothingMore();
  });

  test('keeps one even when its entry is gone', async () => {
    await query('insert into registry.member values (1, 1)');
    await registry.calm();
    await query('delete from registry.person where id = 1');
    await registry.calm();
    expect(await members(1)).toEqual([dn('anna')]);
    await nothingMore();
    await query('insert into registry.member values (1, 2)');
    await registry.calm();
    expect(await members(1)).toEqual([dn('bruno')]);
  });
});
