import type pg from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { connect, createRegistry, type Registry } from '../setup/registry.ts';
import { until } from '../setup/until.ts';

describe('every change arrives', () => {
  let registry: Registry;
  const query = (sql: string, values?: readonly unknown[]) => registry.query(sql, values);
  const arrived = async () => {
    await registry.calm();
    expect(await registry.differences()).toEqual([]);
  };

  beforeEach(async () => {
    registry = await createRegistry();
  });
  afterEach(() => registry.close());

  test('of 1,000 transactions from 8 connections, while the daemon is stopped, started and stopped again', async () => {
    const clients = await Promise.all(Array.from({ length: 8 }, () => connect(registry.url)));
    let committed = 0;
    const started = Promise.withResolvers<void>();
    const stopped = Promise.withResolvers<void>();
    /** 125 transactions: 50 people, each of whom is changed once, and 25 of whom get an address. */
    const write = async (client: pg.Client, index: number) => {
      for (let n = 0; n < 50; n++) {
        const id = index * 1000 + n;
        await client.query('insert into registry.person (id, uid, surname) values ($1::bigint, $2, $3)', [
          id,
          `p${id}`,
          `Old ${id}`,
        ]);
        await client.query('update registry.person set surname = $2 where id = $1', [id, `New ${id}`]);
        if (n % 2 === 0) await client.query('insert into registry.email values ($1, $2)', [id, `p${id}@example.org`]);
        committed += n % 2 === 0 ? 3 : 2;
        // The writers are at work when the daemon starts, and when it stops.
        if (committed >= 300) await started.promise;
        if (committed >= 900) await stopped.promise;
      }
    };
    const writing = Promise.all(clients.map(write));
    const reached = (count: number) =>
      until(
        () => committed,
        (now) => now >= count,
      );

    await reached(250);
    const daemon = await registry.start();
    started.resolve();
    await reached(600);
    await daemon.stop();
    const [left] = await query('select count(*)::int as claimed from staffetta.delivery where token is not null');
    expect(left?.claimed).toBe(0);
    expect(committed).toBeLessThan(1000);
    stopped.resolve();
    await writing;
    expect(committed).toBe(1000);
    await Promise.all(clients.map((client) => client.end()));
    await registry.start();
    await arrived();
    expect((await registry.directory.entries('(objectClass=inetOrgPerson)')).size).toBe(400);
  });

  test('of a role that has no right on anything of Staffetta, and can neither read nor misuse it', async () => {
    const role = await registry.createRole();
    await query(`grant usage, create on schema registry to ${role.name}`);
    await query(`grant select, insert, update, delete on all tables in schema registry to ${role.name}`);
    await registry.start();
    const application = await connect(role.url);
    await application.query(`insert into registry.person (id, uid) values (1, 'anna')`);
    await arrived();
    await application.query(`update registry.person set uid = 'anna.b' where id = 1`);
    await arrived();
    const [journaled] = await query(`select actor from staffetta.journal where key = '1' order by at desc limit 1`);
    expect(journaled?.actor).toBe(role.name);

    const relations = await query(
      `select c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where nspname in ('staffetta', 'graphile_worker') and relkind in ('r', 'v', 'm', 'p', 'S')`,
    );
    expect(relations.length).toBeGreaterThan(20);
    for (const { name } of relations)
      await expect(application.query(`select * from ${name}`), name).rejects.toThrow('permission denied');
    await expect(
      application.query(`insert into staffetta.event (source, op) values ('registry.person', 'R')`),
    ).rejects.toThrow('permission denied');
    await expect(application.query(`select * from staffetta.desired('directory', 'person', '{1}')`)).rejects.toThrow(
      'permission denied',
    );

    const functions = await query(
      `select distinct tgfoid::regproc::text as name from pg_trigger where tgrelid = 'registry.person'::regclass and tgname like 'staffetta%'`,
    );
    expect(functions.length).toBeGreaterThan(0);
    await application.query('create table registry.mine (id bigint primary key)');
    for (const { name } of functions) {
      await expect(
        application.query(
          `create trigger x after insert on registry.mine referencing new table as new for each statement execute function ${name}()`,
        ),
        name,
      ).rejects.toThrow('permission denied');
      await expect(application.query(`select ${name}()`), name).rejects.toThrow('permission denied');
    }
    await application.end();
    await query(`drop owned by ${role.name}`);
  });

  test('after the administrator’s view was away: nothing is removed meanwhile, it says why, and goes on by itself', async () => {
    await registry.start();
    await query(`insert into registry.person (id, uid) values (1, 'anna'), (2, 'bruno'), (3, 'carla')`);
    await query(`insert into registry.team values (1, 'choir')`);
    await query('insert into registry.member values (1, 1), (1, 2)');
    await arrived();
    const [view] = await query(`select pg_get_viewdef('registry.v_person'::regclass) as definition`);
    const people = await registry.directory.entries('(objectClass=inetOrgPerson)', '*', 'entryCSN');

    await query('drop view registry.v_person');
    await query(`update registry.person set given = 'Anna' where id = 1`);
    await query('delete from registry.person where id = 3');
    await query(`select staffetta.rescan()`);
    await query(`select staffetta.replay('person', '2')`);
    const [waiting] = await until(
      () => query(`select error, attention, parked::int from staffetta.status where entity = 'person'`),
      ([row]) => row?.error !== null,
    );
    expect(waiting).toMatchObject({ error: 'relation "registry.v_person" does not exist', parked: 0 });
    expect(String(waiting?.attention)).toContain('desired state cannot be read');
    const failures = () => query('select failures from staffetta.route where entity = $1', ['person']);
    await until(failures, ([row]) => row?.failures >= 3, { what: 'that it is tried again' });
    // Other entities go on.
    await query(`update registry.team set name = 'chorus' where id = 1`);
    await until(
      () => registry.team(1),
      (team) => team?.cn?.[0] === 'chorus',
    );
    expect(await registry.directory.entries('(objectClass=inetOrgPerson)', '*', 'entryCSN')).toEqual(people);

    await query(`create view registry.v_person as ${view?.definition}`);
    await arrived();
    expect(await registry.person(3)).toBeUndefined();
    const [well] = await query(`select error, attention from staffetta.status where entity = 'person'`);
    expect(well).toEqual({ error: null, attention: [] });
    expect(await query('select * from staffetta.failures')).toEqual([]);
  });

  test('of people who were written while nobody captured, once a rescan has found them', async () => {
    await registry.start();
    await registry.calm(); // what the first apply owed has been done
    await query('alter table registry.person disable trigger user');
    await query(`insert into registry.person (id, uid) select n, 'p' || n from generate_series(1, 700) n`);
    await query('alter table registry.person enable trigger user');
    await registry.calm();
    expect(await registry.differences()).not.toEqual([]);
    await query('select staffetta.rescan()');
    await arrived();
  });
});
