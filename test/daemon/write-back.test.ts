/** An administrator's function is told what became of each identity. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connect, createRegistry, type Registry } from '../setup/registry.ts';
import { until } from '../setup/until.ts';

describe('write-back', () => {
  let registry: Registry;
  const query = (sql: string, values?: readonly unknown[]) => registry.query(sql, values);
  const journal = () =>
    query(`select operation, result, message from staffetta.journal where entity = 'person' and key = '1' order by at`);
  const told = (key = '1') => query(`select state, data from registry.told where key = $1 order by number`, [key]);

  beforeAll(async () => {
    // Whatever is called `unlucky` below ou=broken makes the directory fail for no reason that it could tell.
    const broken = [
      'overlay retcode',
      'retcode-parent "ou=broken,dc=example,dc=org"',
      'retcode-item "uid=unlucky" 0x50 op=add',
    ];
    registry = await createRegistry({ slapd: { modules: ['retcode'], database: broken } });
    await query(`
      create table registry.told (number int generated always as identity, entity text, key text, target text, state text, data jsonb);
      create table registry.account (person_id bigint primary key, uuid text, state text);
      create function registry.note(entity text, key text, target text, state text, data jsonb) returns void language plpgsql as $$
      begin
        insert into registry.told (entity, key, target, state, data) values (entity, key, target, state, data);
        insert into registry.account as a values (key::bigint, data ->> 'stable_id', state)
        on conflict (person_id) do update set uuid = coalesce(excluded.uuid, a.uuid), state = excluded.state
        where (a.uuid, a.state) is distinct from (coalesce(excluded.uuid, a.uuid), excluded.state);
        if key = '13' then raise exception 'thirteen is refused'; end if;
      end $$;
      create or replace view registry.v_person as
        select p.id, p.uid, p.given, p.surname, coalesce(p.room, a.uuid) as room, p.password, p.photo, p.area, p.hidden,
          array(select e.address from registry.email e where e.person_id = p.id order by 1) as emails
        from registry.person p left join registry.account a on a.person_id = p.id where not hidden;`);
    await registry.configure(
      ['registry.email: person_id }', 'registry.email: person_id, registry.account: person_id }'],
      ['        deprovision: delete\n', '        writeBack: registry.note\n        deprovision: delete\n'],
    );
    await registry.apply();
    await registry.start();
  });
  afterAll(() => registry.close());
  beforeEach(async () => {
    await query('truncate registry.person, registry.email, registry.account');
    await registry.calm();
    await query('truncate registry.told, staffetta.journal');
  });

  test('of a generated id that is replicated itself converges after one more write, and is told nothing further', async () => {
    await query(`insert into registry.person (id, uid) values (1, 'anna')`);
    await registry.calm();
    const uuid = (await registry.person(1))?.entryUUID?.[0];
    expect((await registry.person(1))?.roomNumber).toEqual([uuid]);
    expect(await query('select * from registry.account')).toEqual([{ person_id: '1', uuid, state: 'done' }]);
    expect((await journal()).map(({ operation }) => operation)).toEqual(['create', 'update']);
    const dn = (await registry.person(1))?.dn?.[0];
    expect(await told()).toMatchObject([
      { state: 'done', data: { operation: 'create', remote_id: dn, stable_id: uuid } },
      { state: 'done', data: { operation: 'update', remote_id: dn, stable_id: uuid, changed: ['roomNumber'] } },
    ]);
  });

  test('tells of a replay, though nothing was written, and of a removal', async () => {
    await query(`insert into registry.person (id, uid, room) values (1, 'anna', '12')`);
    await registry.calm();
    await query(`truncate registry.told; select staffetta.replay('person', '1')`);
    await registry.calm();
    expect(await told()).toMatchObject([{ state: 'done', data: { operation: 'none' } }]);
    await query('delete from registry.person');
    await registry.calm();
    expect((await told()).at(-1)).toMatchObject({ state: 'done', data: { operation: 'remove' } });
  });

  test('tells once of what is parked, though what it writes has it tried again', async () => {
    await query(`insert into registry.person (id, uid, surname) values (1, 'anna', '')`);
    // the account that it wrote is a change, which is tried, in vain, and not told again
    await until(
      () => query(`select rev::int from staffetta.delivery where state = 'parked' and key = '1'`),
      ([row]) => row?.rev === 2,
    );
    expect(await told()).toMatchObject([{ state: 'parked', data: { error: { kind: 'rejected' } } }]);
    await query(`update registry.person set surname = 'Bianchi'`);
    await registry.calm();
    expect((await query('select state from registry.account'))[0]).toEqual({ state: 'done' });
  });

  test('that raises an error undoes only itself, and is journaled as a warning', async () => {
    await query(`insert into registry.person (id, uid) values (13, 'tredici'), (14, 'quattordici')`);
    await registry.calm();
    expect(await registry.person(13)).toBeDefined();
    expect(await told('13')).toEqual([]);
    expect(await told('14')).not.toEqual([]);
    const warned = await query(
      `select state, key, note from staffetta.ldap_repl where entity = 'person' and state = 'WARNING'`,
    );
    expect(warned).toEqual([{ state: 'WARNING', key: '13', note: 'registry.note: thirteen is refused' }]);
  });

  test('waits shortly for rows that an application has locked, and goes on', async () => {
    await query(`insert into registry.person (id, uid, room) values (1, 'anna', '12')`);
    await registry.calm();
    const application = await connect(registry.url);
    await application.query('begin; select from registry.account for update');
    await query(`update registry.person set uid = 'annina'`);
    await registry.calm();
    await application.query('rollback');
    await application.end();
    expect((await registry.person(1))?.uid).toEqual(['annina']);
    expect((await journal()).at(-1)).toEqual({
      operation: 'rename',
      result: 'warned',
      message: 'registry.note: canceling statement due to lock timeout',
    });
  });

  test('assigns a login to who has none, and shows Sesame’s states', async () => {
    await query(`
      create table registry.sesame (number int generated always as identity, person_id bigint, state int);
      create or replace function registry.note(entity text, key text, target text, state text, data jsonb) returns void language plpgsql as $$
      begin
        insert into registry.sesame (person_id, state) values (key::bigint, case state when 'done' then 99 when 'failed' then 50 else -3 end);
        if data #>> '{error,message}' like '%NULL or empty%' then
          update registry.person p set uid = 'u' || p.id where p.id = key::bigint and p.uid is null;
        end if;
      end $$`);
    // A retry that meets a change pays the same debt as the change itself, which is told of as well.
    const states = async (id: number) =>
      (await query('select state from registry.sesame where person_id = $1 order by number', [id]))
        .map(({ state }) => state)
        .filter((state, index, all) => state !== all[index - 1]);
    await query(`insert into registry.person (id, uid, room) values (21, null, '1')`);
    await registry.calm();
    expect((await registry.person(21))?.uid).toEqual(['u21']);
    expect(await states(21)).toEqual([-3, 99]);

    await query(`insert into registry.person (id, uid, room, area) values (22, 'unlucky', '1', 'broken')`);
    await until(
      () => states(22),
      ({ length }) => length > 0,
      { what: 'that the directory has failed' },
    );
    expect((await query(`select state, error from staffetta.delivery where key = '22'`))[0]?.error).toContain(
      'other (80)',
    );
    await query(`update registry.person set area = 'people' where id = 22`);
    await registry.calm();
    expect(await states(22)).toEqual([50, 99]);
    await query(`update registry.person set surname = '' where id = 22`);
    await until(
      () => states(22),
      ({ length }) => length > 2,
      { what: 'that it is parked' },
    );
    expect(await states(22)).toEqual([50, 99, -3]);
  });
});
