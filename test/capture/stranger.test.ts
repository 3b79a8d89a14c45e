/** An application's role: it may write to the sources, and knows nothing of Staffetta. */
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { configuration, createSite, type Site } from '../apply/site.ts';
import { until } from '../setup/until.ts';

let site: Site;
let application: pg.Client;
const config = configuration({
  person: { view: 'registry.person', sources: { 'registry.person': 'id', 'registry.visit': 'person_id' } },
});
beforeAll(async () => {
  site = await createSite(`
    create table registry.person (id bigint primary key, uid text);
    create table registry.visit (person_id bigint, at timestamptz)`);
  await site.apply(config);
  const role = await site.database.createRole();
  await site.query(`create schema application authorization ${role.name}`);
  await site.query(`grant usage on schema registry to ${role.name}`);
  await site.query(`grant select, insert, update, delete on registry.person to ${role.name}`);
  application = await site.connect(role.url);
});
afterAll(() => site.close());

test('writes, and is captured', async () => {
  await application.query(`insert into registry.person values (1, 'ada')`);
  await application.query(`update registry.person set id = 2, uid = 'eve'`);
  await application.query('delete from registry.person');
  expect((await site.events()).sort()).toEqual([
    'D registry.person 2',
    'I registry.person 1',
    'U registry.person 1',
    'U registry.person 2',
  ]);
});

describe('can neither read the queue nor use what captures', () => {
  test('not one relation or routine of the schema', async () => {
    const relations = await site.query<{ name: string }>(
      `select c.oid::regclass::text as name from pg_class c where c.relnamespace = 'staffetta'::regnamespace and c.relkind in ('r', 'v', 'S', 'p')`,
    );
    expect(relations.length).toBeGreaterThan(15);
    const routines = await site.query<{ name: string }>(
      `select p.oid::regprocedure::text as name from pg_proc p where p.pronamespace = 'staffetta'::regnamespace`,
    );
    expect(routines.length).toBeGreaterThan(20);
    const [role] = (await application.query<{ name: string }>('select current_user as name')).rows;
    for (const { name } of relations)
      await expect(application.query(`table ${name}`), name).rejects.toThrow('permission denied for schema staffetta');
    expect(
      await site.query(
        `select p.oid::regprocedure::text from pg_proc p where p.pronamespace = 'staffetta'::regnamespace
         and p.prosecdef and has_function_privilege($1, p.oid, 'execute')`,
        [role?.name],
      ),
    ).toEqual([]);
  });

  test('even with the right to name things in the schema', async () => {
    const [function_] = await site.query<{ name: string; source: string }>(
      `select p.oid::regproc::text as name from pg_proc p where p.proname like 'capture\\_registry\\_person%'`,
    );
    const [role] = (await application.query<{ name: string }>('select current_user as name')).rows;
    await site.query(`grant usage on schema staffetta to ${role?.name}`);
    await application.query('create table application.own (id bigint)');
    const refused = [
      'select * from staffetta.event',
      `insert into staffetta.event (source, op, cols) values ('registry.person', 'U', '{1}')`,
      'delete from staffetta.event',
      `select ${function_?.name}()`,
      `create trigger t after insert on application.own for each statement execute function ${function_?.name}()`,
      `select nextval('staffetta.event_seq_seq')`,
      'select * from staffetta.desired_directory_person',
      `drop trigger staffetta_u on registry.person`,
      'alter table registry.person disable trigger all',
    ];
    for (const statement of refused)
      await expect(application.query(statement), statement).rejects.toThrow(/permission denied|must be owner/);
    await site.query(`revoke usage on schema staffetta from ${role?.name}`);
    expect(await site.events()).toEqual([]);
  });

  test('nor can a table, an operator or a function of its own mislead what captures', async () => {
    await application.query(`
      create temporary table event (source text, op "char", cols text[]);
      create function application.pg_notify(text, text) returns void language sql as 'select 1/0';
      set search_path = application, pg_temp, pg_catalog`);
    await application.query(`insert into registry.person values (9, 'ivy')`);
    expect((await application.query('select * from pg_temp.event')).rows).toEqual([]);
    expect(await site.events()).toEqual(['I registry.person 9']);
  });
});

describe('never waits', () => {
  /** Writes with as good as no patience. */
  const write = () =>
    application.query(
      `set lock_timeout = '50ms'; insert into registry.person values (10, 'jo') on conflict (id) do update set uid = 'jo'`,
    );

  test('while sessions hold the tables of the queue', async () => {
    const holder = await site.connect();
    for (const table of ['delivery', 'link', 'route', 'source', 'target', 'installation', 'journal', 'parameter']) {
      await holder.query(`begin; lock table staffetta.${table} in access exclusive mode`);
      await write();
      await holder.query('rollback');
    }
    await holder.query(`begin; select * from staffetta.event for update`);
    await write();
    await holder.query('rollback');
    expect((await site.events()).length).toBe(9);
  });

  test('for an apply that is long at work on another table', async () => {
    const holder = await site.connect();
    await holder.query('begin; insert into registry.visit values (1, now())'); // a long transaction of somebody else
    const changed = configuration({
      person: {
        view: 'registry.person',
        sources: { 'registry.person': 'id', 'registry.visit': { key: 'person_id', columns: ['at'] } },
      },
    });
    const applied = site.apply(changed);
    const [pid] = (await holder.query<{ pid: number }>('select pg_backend_pid() as pid')).rows;
    await until(
      () => site.query('select pid from pg_stat_activity where $1 = any(pg_blocking_pids(pid))', [pid?.pid]),
      (waiting) => waiting.length > 0,
      { what: 'apply waits for the table' },
    );
    await write();
    expect(await site.events()).toHaveLength(1);
    await holder.query('commit');
    expect(await applied).toMatchObject({ captured: ['registry.visit'] });
    expect(await site.events()).toEqual(['I registry.visit 1']);
  });
});
