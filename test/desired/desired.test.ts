import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { configure, createFixture, type Fixture } from './fixture.ts';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await createFixture();
  await fixture.query(`
    create table registry.person (id bigint primary key, uid text, password text, codes text[], at timestamptz);
    insert into registry.person values (7, 'anna', 'sesame', '{one,two}', '2026-01-31 23:59:59+00'), (42, 'bob', null, null, null), (9, 'eve', 'x', '{}', null);
    create table registry.team (id numeric(10,0) primary key, name text, members bigint[]);
    insert into registry.team values (1, 'Blue', '{42,7}'), (2, 'Red', '{}')`);
  await fixture.apply(
    configure(
      { person: { view: 'registry.person', key: 'id' }, team: { view: 'registry.team', key: 'id' } },
      {
        person: {
          dn: 'uid={uid}',
          only: `uid <> 'eve'`,
          attributes: {
            userPassword: { from: 'password', secret: true },
            codes: { from: 'codes', secret: true },
            note: { template: 'pw {password}', secret: true },
            uid: '{uid}',
            at: { from: 'at' },
          },
        },
        team: { dn: 'cn={name}', attributes: { cn: '{name}', member: { ref: 'person', from: 'members' } } },
      },
    ),
  );
});
afterAll(() => fixture.close());

const desired = (entity: string, keys?: string[]) =>
  fixture.query('select * from staffetta.desired($1, $2, $3)', ['directory', entity, keys ?? null]);

const anna = {
  key: '7',
  released: false,
  remote_id: 'uid=anna',
  attributes: {
    userPassword: ['********'],
    codes: ['********', '********'],
    note: ['********'],
    uid: ['anna'],
    at: ['20260131235959Z'],
  },
  members: null,
};

describe('staffetta.desired', () => {
  test('says what a target should hold, secrets masked', async () => {
    expect(await desired('person', ['7'])).toEqual([anna]);
  });

  test('takes keys as people write them, and says nothing of those that are not in the view', async () => {
    expect(await desired('person', [' 07', '42', '1000', '7'])).toEqual([
      anna,
      { key: '42', released: false, remote_id: 'uid=bob', attributes: { uid: ['bob'] }, members: null },
    ]);
  });

  test('without keys says it of all', async () => {
    expect((await desired('person')).map(({ key }) => key)).toEqual(['7', '9', '42']);
  });

  test('says who is released', async () => {
    expect(await desired('person', ['9'])).toEqual([
      { key: '9', released: true, remote_id: null, attributes: null, members: null },
    ]);
  });

  test('shows the keys of members', async () => {
    expect(await desired('team')).toEqual([
      {
        key: '1',
        released: false,
        remote_id: 'cn=Blue',
        attributes: { cn: ['Blue'] },
        members: { member: ['42', '7'] },
      },
      { key: '2', released: false, remote_id: 'cn=Red', attributes: { cn: ['Red'] }, members: null },
    ]);
  });

  test('sees what its own transaction has changed', async () => {
    await fixture.query('begin');
    await fixture.query(`update registry.person set uid = 'anna2' where id = 7`);
    expect(await desired('person', ['7'])).toMatchObject([{ remote_id: 'uid=anna2' }]);
    await fixture.query('rollback');
  });

  test.each([
    [
      'select * from staffetta.desired($1, $2)',
      ['nowhere', 'person'],
      'There is no target "nowhere". Known targets: directory.',
    ],
    [
      'select * from staffetta.desired($1, $2)',
      ['directory', 'thing'],
      'There is no entity "thing" on target "directory"',
    ],
    [
      'select * from staffetta.desired($1, $2, $3)',
      ['directory', 'person', ['x']],
      '"x" is not a key of entity "person"',
    ],
    ['select * from staffetta.desired($1, $2)', [null, 'person'], 'Which target and which entity?'],
  ])('%s with %j is refused in words', async (sql, values, message) => {
    await expect(fixture.query(sql, values)).rejects.toThrow(message);
  });

  test('serves a role that may read neither the views nor the secrets, whatever its settings', async () => {
    const role = await fixture.createRole();
    const outsider = new pg.Client({ connectionString: role.url });
    await outsider.connect();
    try {
      await fixture.query(`grant usage on schema staffetta to ${role.name}`);
      const ask = () => outsider.query(`select * from staffetta.desired('directory', 'person', '{7}')`);
      await expect(ask()).rejects.toThrow('permission denied');
      await fixture.query(`grant execute on function staffetta.desired(text, text, text[]) to ${role.name}`);
      await outsider.query(`set timezone = 'Asia/Kathmandu'; set datestyle = 'German'; set search_path = pg_temp`);
      expect((await ask()).rows).toEqual([anna]);
      await expect(outsider.query('select * from staffetta.desired_directory_person')).rejects.toThrow(
        'permission denied',
      );
    } finally {
      await outsider.end();
      await fixture.query(
        `revoke all on function staffetta.desired(text, text, text[]) from ${role.name}; revoke all on schema staffetta from ${role.name}`,
      );
    }
  });
});
