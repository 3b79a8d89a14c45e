import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createRegistry, type Registry } from '../setup/registry.ts';
import { until } from '../setup/until.ts';

describe('a committed row is in the directory', () => {
  let registry: Registry;
  const query = (sql: string, values?: readonly unknown[]) => registry.query(sql, values);
  /** Waits until everything is delivered; the directory is then as the tables say. */
  const arrived = async () => {
    await registry.calm();
    expect(await registry.differences()).toEqual([]);
  };
  const uuid = async (id: number) => (await registry.person(id))?.entryUUID?.[0];

  beforeAll(async () => {
    registry = await createRegistry();
    await registry.start();
  });
  afterAll(() => registry.close());
  beforeEach(async () => {
    await query('truncate registry.person, registry.email, registry.team, registry.member');
    await query(
      `insert into registry.person (id, uid, given, surname) values (1, 'anna', 'Anna', 'Bianchi'), (2, 'bruno', 'Bruno', 'Verdi')`,
    );
    await arrived();
  });

  test('inserted, changed and removed', async () => {
    await query(
      `insert into registry.person (id, uid, given, surname, room) values (3, 'carla', 'Carla', 'Neri', '12')`,
    );
    await arrived();
    await query(`update registry.person set given = 'Carlotta', room = null where id = 3`);
    await arrived();
    expect((await registry.person(3))?.roomNumber).toBeUndefined();
    await query('delete from registry.person where id = 3');
    await arrived();
    expect(await registry.person(3)).toBeUndefined();
  });

  test('with a new name and other attributes in one statement, as the same entry', async () => {
    const before = await uuid(1);
    await query(`update registry.person set uid = 'anna.verdi', surname = 'Verdi', room = '7' where id = 1`);
    await arrived();
    expect(await uuid(1)).toBe(before);
    expect(await registry.person(1)).toMatchObject({ uid: ['anna.verdi'], sn: ['Verdi'], roomNumber: ['7'] });
  });

  test('with a name that differs by case only', async () => {
    await query(`update registry.person set uid = 'ANNA' where id = 1`);
    await arrived();
    expect((await registry.person(1))?.dn?.[0]).toContain('uid=ANNA,');
  });

  test('with several e-mail addresses, one of them, and none', async () => {
    await query(`insert into registry.email values (1, 'a@example.org'), (1, 'b@example.org'), (1, 'c@example.org')`);
    await arrived();
    expect((await registry.person(1))?.mail).toHaveLength(3);
    await query(`delete from registry.email where address <> 'b@example.org'`);
    await arrived();
    await query('delete from registry.email');
    await arrived();
    expect((await registry.person(1))?.mail).toBeUndefined();
  });

  test('with bytes and a password, of which no trace is left in our tables', async () => {
    const photo = Buffer.from(Array.from({ length: 3000 }, (_, index) => index % 256));
    await query('update registry.person set photo = $1, password = $2 where id = 1', [photo, 'Tr0ub4dor&3']);
    await arrived();
    await query('update registry.person set password = $1 where id = 1', ['correct horse battery']);
    await arrived();
    expect((await registry.person(1))?.userPassword).toEqual(['correct horse battery']);
    const kept = await query(
      `select l::text as row from staffetta.link l union all select j::text from staffetta.journal j union all select d::text from staffetta.delivery d`,
    );
    expect(JSON.stringify(kept)).not.toMatch(/Tr0ub4dor|correct horse/);
    await query('update registry.person set photo = null, password = null where id = 1');
    await arrived();
    expect(await registry.person(1)).not.toHaveProperty('jpegPhoto');
    expect(await registry.person(1)).not.toHaveProperty('userPassword');
  });

  test('below another parent, as the same entry', async () => {
    const before = await uuid(2);
    await query(`update registry.person set area = 'former', given = 'Bruno Ugo' where id = 2`);
    await arrived();
    expect(await uuid(2)).toBe(before);
    await query(`update registry.person set area = 'people', uid = 'bruno.ugo' where id = 2`);
    await arrived();
    expect(await uuid(2)).toBe(before);
  });

  test('not removed if it is inserted again soon', async () => {
    const before = await uuid(1);
    await query('delete from registry.person where id = 1');
    await until(
      () => query(`select absent_since from staffetta.delivery where key = '1' and absent_since is not null`),
      (rows) => rows.length === 1,
    );
    await query(`insert into registry.person (id, uid, given, surname) values (1, 'anna', 'Annalisa', 'Bianchi')`);
    await arrived();
    expect(await uuid(1)).toBe(before);
  });

  test('with another key, as the same entry', async () => {
    const before = await uuid(1);
    await query('update registry.person set id = 101 where id = 1');
    await arrived();
    expect(await uuid(101)).toBe(before);
  });

  test('whatever the name', async () => {
    const names = [
      'king,jr',
      'a+b',
      '#hash',
      'ends\\',
      'say "hi"',
      '<angle>',
      'semi;colon',
      'eq=ual',
      'Zoë Ånström',
      '李雷',
      "o'neill",
      'a\\2Cb',
      `${'x'.repeat(200)}`,
      ' both ',
    ];
    await query(
      'insert into registry.person (id, uid, given, surname) select 10 + n, name, name, name from unnest($1::text[]) with ordinality u(name, n)',
      [names],
    );
    await arrived();
    const before = await Promise.all(names.map((_, index) => uuid(11 + index)));
    await query(`update registry.person set uid = uid || ',x', given = 'New' where id > 10`);
    await arrived();
    expect(await Promise.all(names.map((_, index) => uuid(11 + index)))).toEqual(before);
    await query('delete from registry.person where id > 10');
    await arrived();
  });

  test('and is left alone by a change that changes nothing', async () => {
    const before = await registry.person(1);
    await query(`update registry.person set given = given where id = 1`);
    await arrived();
    expect(await registry.person(1)).toEqual(before);
  });

  test('a row without a name is parked, says so, and goes on by itself when it has one', async () => {
    await query(`insert into registry.person (id, uid) values (5, null), (6, 'fine')`);
    const [parked] = await until(
      () => query(`select key, message, what_to_do from staffetta.failures where failure = 'parked'`),
      (rows) => rows.length === 1,
    );
    expect(parked).toMatchObject({ key: '5', message: expect.stringContaining('NULL or empty') });
    await until(
      () => registry.person(6),
      (entry) => entry !== undefined,
    );
    await query(`update registry.person set uid = 'named' where id = 5`);
    await arrived();
  });

  test('a name that is taken is parked, naming who has it', async () => {
    await query(`insert into registry.person (id, uid) values (5, 'anna')`);
    const [parked] = await until(
      () => query(`select key, kind, message from staffetta.failures where failure = 'parked'`),
      (rows) => rows.length === 1,
    );
    expect(parked).toMatchObject({ key: '5', kind: 'exists', message: expect.stringContaining('person 1') });
    await query(`update registry.person set uid = 'anna2' where id = 1`);
    await arrived();
  });
});
