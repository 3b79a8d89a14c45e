import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createRegistry, type Registry } from '../setup/registry.ts';

describe('a group has the entries of its members', () => {
  let registry: Registry;
  const query = (sql: string, values?: readonly unknown[]) => registry.query(sql, values);
  const arrived = async () => {
    await registry.calm();
    expect(await registry.differences()).toEqual([]);
  };
  const members = async (id: number) => (await registry.team(id))?.member ?? [];

  beforeAll(async () => {
    registry = await createRegistry();
    await registry.start();
  });
  afterAll(() => registry.close());
  beforeEach(async () => {
    await query('truncate registry.person, registry.email, registry.team, registry.member');
    await query(`insert into registry.person (id, uid) values (1, 'anna'), (2, 'bruno'), (3, 'carla')`);
    await query(`insert into registry.team values (1, 'choir'), (2, 'crew, "the"')`);
    await query('insert into registry.member values (1, 1), (1, 2), (2, 2)');
    await arrived();
  });

  test('and gets and loses one', async () => {
    await query('insert into registry.member values (1, 3)');
    await arrived();
    expect(await members(1)).toHaveLength(3);
    await query('delete from registry.member where (team_id, person_id) = (1, 1)');
    await arrived();
    expect(await members(1)).toHaveLength(2);
  });

  test('a member who arrives after the group is added then', async () => {
    await query('insert into registry.member values (1, 4), (2, 4)');
    await registry.calm();
    expect(await members(1)).toHaveLength(2);
    await query(`insert into registry.person (id, uid) values (4, 'dario')`);
    await arrived();
    expect(await members(1)).toHaveLength(3);
  });

  test('a member who is renamed stays one, under the new name', async () => {
    await query(`update registry.person set uid = 'bruno, "ugo" + ' where id = 2`);
    await arrived();
    await query(`update registry.person set area = 'former' where id = 2`);
    await arrived();
  });

  test('a member who leaves the directory leaves the group', async () => {
    await query('update registry.person set hidden = true where id = 2');
    await arrived();
    expect(await members(2)).toEqual(['cn=nobody']);
    await query('update registry.person set hidden = false where id = 2');
    await arrived();
  });

  test('the last member leaves a placeholder behind, which goes when somebody comes', async () => {
    await query('delete from registry.member');
    await arrived();
    expect(await members(1)).toEqual(['cn=nobody']);
    await query('insert into registry.member values (1, 3)');
    await arrived();
    expect(await members(1)).toHaveLength(1);
  });

  test('a group that is renamed keeps its entry and its members', async () => {
    const before = (await registry.team(1))?.entryUUID;
    await query(`update registry.team set name = 'chorus' where id = 1`);
    await query('insert into registry.member values (1, 3)');
    await arrived();
    expect((await registry.team(1))?.entryUUID).toEqual(before);
  });

  test('a group that is removed takes nobody with it', async () => {
    await query('delete from registry.team where id = 1');
    await arrived();
    expect(await registry.person(1)).toBeDefined();
  });

  test('members who get another key stay members when the registry says so', async () => {
    await query(
      `begin; update registry.person set id = 22 where id = 2; update registry.member set person_id = 22 where person_id = 2; commit`,
    );
    await arrived();
  });

  test('a group that gets another key keeps its entry and its members', async () => {
    const before = (await registry.team(1))?.entryUUID;
    await query(
      `begin; insert into registry.team values (11, 'choir'); update registry.member set team_id = 11 where team_id = 1; delete from registry.team where id = 1; commit`,
    );
    await arrived();
    expect((await registry.team(11))?.entryUUID).toEqual(before);
    await query('insert into registry.member values (11, 3)');
    await arrived();
  });

  test('a hundred members come, are renamed and go', async () => {
    await query(`insert into registry.person (id, uid) select n, 'p' || n from generate_series(1001, 1100) n`);
    await query('insert into registry.member select 1, n from generate_series(1001, 1100) n');
    await arrived();
    await query(`update registry.person set uid = 'q' || id where id > 1000`);
    await arrived();
    await query('delete from registry.person where id > 1000');
    await arrived();
  });
});

describe('a directory that follows renames in groups by itself (refint)', () => {
  test('is not disturbed by it', async () => {
    const registry = await createRegistry({
      slapd: {
        modules: ['refint'],
        database: ['overlay refint', 'refint_attributes member', 'refint_nothing cn=nobody'],
      },
    });
    try {
      await registry.start();
      await registry.query(`insert into registry.person (id, uid) values (1, 'anna'), (2, 'bruno')`);
      await registry.query(`insert into registry.team values (1, 'choir')`);
      await registry.query('insert into registry.member values (1, 1), (1, 2)');
      await registry.calm();
      expect(await registry.differences()).toEqual([]);
      await registry.query(`update registry.person set uid = 'anna.b' where id = 1`);
      await registry.calm();
      expect(await registry.differences()).toEqual([]);
      await registry.query('delete from registry.person');
      await registry.calm();
      expect(await registry.differences()).toEqual([]);
    } finally {
      await registry.close();
    }
  });
});
