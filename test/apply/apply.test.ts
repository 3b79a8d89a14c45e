import pg from 'pg';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { apply } from '../../src/apply/apply.ts';
import { dryRun } from '../../src/apply/dry-run.ts';
import { createIngester } from '../ingest/ingester.ts';
import { createDatabase } from '../setup/database.ts';
import { migrationNames } from '../setup/migrations.ts';
import { configuration, createSite, type Site } from './site.ts';

const sites: Site[] = [];
afterAll(() => Promise.all(sites.map((site) => site.close())));

const tables = `
  create table registry.person (id bigint primary key, uid text);
  create table registry.email (person_id bigint, address text);
  create table registry.team (id int primary key, name text);
  create table registry.career (person_id bigint, department_id text);
  create view registry.v_person as select * from registry.person`;
const person = {
  view: 'registry.v_person',
  sources: {
    'registry.person': 'id',
    'registry.email': { key: 'person_id', columns: ['address'] },
    'registry.career': {
      key: 'department_id',
      resolve: 'select person_id from registry.career where department_id = any($1)',
    },
  },
};
const team = { view: 'registry.team', sources: { 'registry.team': 'id' } };
const everything = configuration({ person, team }, ['badge', 'directory']);

let site: Site;
beforeEach(async () => {
  site = await createSite(tables);
  sites.push(site);
});

/** What apply makes, with identities: made again, it would have another. */
const objects = (db: { query: Site['query'] }) =>
  db.query(
    `select 'trigger' as kind, t.oid, t.tgrelid::regclass || ' ' || t.tgname as name, pg_get_triggerdef(t.oid) as definition
     from pg_trigger t where t.tgname like 'staffetta%'
     union all select 'function', p.oid, p.oid::regprocedure::text, case p.prokind when 'f' then pg_get_functiondef(p.oid) end
     from pg_proc p where p.pronamespace = 'staffetta'::regnamespace
     union all select 'relation', c.oid, c.relname, case when c.relkind = 'v' then pg_get_viewdef(c.oid) end
     from pg_class c where c.relnamespace = 'staffetta'::regnamespace and c.relname not like 'kysely%'
     order by 1, 3`,
  );
const without = (rows: pg.QueryResultRow[]) => rows.map(({ kind, name, definition }) => ({ kind, name, definition }));

const routes = () =>
  site
    .query(`select target || ' ' || entity as route, rescan::int from staffetta.route order by 1`)
    .then((rows) => Object.fromEntries(rows.map(({ route, rescan }) => [route, rescan])));
const targets = () =>
  site
    .query(`select target, state, reason from staffetta.target order by 1`)
    .then((rows) => rows.map(({ target, state, reason }) => [target, state, reason]));

describe('the first apply', () => {
  test('on a populated database captures, maps, and owes a rescan of what is there', async () => {
    await site.query(`insert into registry.person values (1, 'ada')`);
    const loaded = await site.load(everything);
    const applied = await apply(site.pool, loaded);
    expect(applied).toMatchObject({
      migrations: await migrationNames(),
      captured: ['registry.person', 'registry.email', 'registry.career', 'registry.team'],
      released: [],
      retired: [],
      warnings: [],
    });
    expect(applied.routes.map(({ target, entity, reason }) => `${target} ${entity} ${reason}`).sort()).toEqual([
      'badge person new',
      'badge team new',
      'directory person new',
      'directory team new',
    ]);
    expect(await routes()).toEqual({ 'badge person': 1, 'badge team': 1, 'directory person': 1, 'directory team': 1 });
    expect(await site.query('select revision, applied_by from staffetta.installation')).toEqual([
      { revision: loaded.revision, applied_by: site.owner.name },
    ]);
    expect(await site.query('select source, columns from staffetta.source order by 1')).toEqual([
      { source: 'registry.career', columns: ['department_id'] },
      { source: 'registry.email', columns: ['person_id'] },
      { source: 'registry.person', columns: ['id'] },
      { source: 'registry.team', columns: ['id'] },
    ]);
    expect(await site.query(`select to_regclass('graphile_worker.jobs') is not null as there`)).toEqual([
      { there: true },
    ]);
    await site.pool.query('select staffetta.rescan()');
    expect(await site.query('select target, key from staffetta.delivery order by 1')).toEqual([
      { target: 'badge', key: '1' },
      { target: 'directory', key: '1' },
    ]);
  });

  test('needs no superuser and no right that docs/grants.md does not name', async () => {
    await site.query(`revoke all on all tables in schema registry from ${site.owner.name}`);
    await site.query(
      `grant trigger on registry.person, registry.email, registry.career, registry.team to ${site.owner.name}`,
    );
    await site.query(`grant select on registry.v_person, registry.team, registry.career to ${site.owner.name}`);
    await site.apply(everything);
    await site.query(`insert into registry.person values (1, 'ada'); insert into registry.email values (1, 'ada@x');
      insert into registry.career values (1, 'law')`);
    const { drain, client } = await createIngester(site, ['person', 'team']);
    expect((await drain()).events).toBe(3);
    client.release();
    expect(await site.query('select source, error from staffetta.source where error is not null')).toEqual([]);
    expect(await site.query(`select distinct key from staffetta.delivery`)).toEqual([{ key: '1' }]);
    // and again, with everything there to be replaced and removed
    expect(await site.apply(configuration({ team }))).toMatchObject({
      released: ['registry.career', 'registry.email', 'registry.person'],
      retired: ['badge'],
    });
  });
});

describe('the second apply', () => {
  test('changes nothing', async () => {
    await site.apply(everything);
    const before = await objects(site);
    const state = () =>
      site.query(`select (select json_agg(r order by target, entity) from staffetta.route r) as routes,
      (select json_agg(t order by target) from staffetta.target t) as targets, (select json_agg(i) from staffetta.installation i) as installation`);
    const rows = await state();
    expect(await site.apply(everything)).toEqual({
      migrations: [],
      captured: [],
      released: [],
      routes: [],
      modes: [],
      retired: [],
      warnings: [],
    });
    expect(await objects(site)).toEqual(before);
    expect(await state()).toEqual(rows);
  });

  test('that fails after it captured a table still owes the rescan of what was written before', async () => {
    const loaded = await site.load(everything);
    await apply(site.pool, loaded);
    await site.query('update staffetta.route set rescan = 0');
    await site.query('alter table registry.email disable trigger staffetta_i');
    // The next transaction, that of the mapping, does not come through.
    await site.query('alter table staffetta.target add constraint no_more check (false) not valid');
    await expect(apply(site.pool, loaded)).rejects.toThrow('no_more');
    await site.query('alter table staffetta.target drop constraint no_more');
    expect((await apply(site.pool, loaded)).captured).toEqual([]);
    expect(await routes()).toMatchObject({ 'badge person': 1, 'directory person': 1 });
  });

  test('makes again what somebody dropped', async () => {
    await site.apply(everything);
    const before = without(await objects(site));
    await site.query(
      `drop view staffetta.desired_badge_person; drop function staffetta.replay(text, text, text, text)`,
    );
    const [keys] = await site.query(`select name from staffetta.generated where kind = 'keys' limit 1`);
    await site.query(`drop function ${keys?.name}(text[])`);
    await site.query('drop trigger staffetta_d on registry.team');
    await site.apply(everything);
    expect(without(await objects(site))).toEqual(before);
  });

  test('does the same whichever of two at once comes first', async () => {
    const [first, second] = await Promise.all([site.apply(everything), site.apply(everything)]);
    expect([first?.migrations.length, second?.migrations.length].sort()).toEqual([0, (await migrationNames()).length]);
    expect([first?.captured.length, second?.captured.length].sort()).toEqual([0, 4]);
    expect(await routes()).toEqual({ 'badge person': 1, 'badge team': 1, 'directory person': 1, 'directory team': 1 });
  });
});

describe('a changed configuration', () => {
  const token = '00000000-0000-4000-8000-000000000000';
  const loadChanged = (only: string) => ({
    ...everything,
    targets: {
      ...everything.targets,
      directory: {
        ...everything.targets.directory,
        entities: {
          ...everything.targets.directory?.entities,
          person: { ...everything.targets.directory?.entities.person, only },
        },
      },
    },
  });

  test('of one mapping owes a rescan of that route only, and has what is claimed looked at once more', async () => {
    await site.apply(everything);
    await site.query('update staffetta.route set rescan = 0');
    await site.query(`insert into staffetta.delivery (target, entity, key, token, claimed_rev, lease_until) values
      ('directory', 'person', '1', '${token}', 1, now() + interval '1 minute'), ('directory', 'person', '2', null, null, null)`);
    const changed = await site.load(loadChanged(`uid <> 'guest'`));
    expect(await apply(site.pool, changed)).toMatchObject({
      captured: [],
      routes: [{ target: 'directory', entity: 'person', reason: 'changed' }],
    });
    expect(await routes()).toEqual({ 'badge person': 0, 'badge team': 0, 'directory person': 1, 'directory team': 0 });
    expect(await site.query('select key, rev::int, token from staffetta.delivery order by 1')).toEqual([
      { key: '1', rev: 2, token },
      { key: '2', rev: 1, token: null },
    ]);
    expect(await site.query('select revision from staffetta.installation')).toEqual([{ revision: changed.revision }]);
  });

  test('of a source captures anew, and owes a rescan of its entity on every target', async () => {
    await site.apply(everything);
    await site.query('update staffetta.route set rescan = 0');
    const {
      person: { sources },
    } = { person };
    const changed = configuration(
      { person: { ...person, sources: { ...sources, 'registry.email': 'person_id' } }, team },
      ['badge', 'directory'],
    );
    expect(await site.apply(changed)).toMatchObject({ captured: ['registry.email'] });
    // One debt with the capture, one with the mapping: a single rescan pays both.
    expect(await routes()).toEqual({ 'badge person': 2, 'badge team': 0, 'directory person': 2, 'directory team': 0 });
  });

  test('that is wrong changes nothing, though much of it is right', async () => {
    await site.apply(everything);
    const before = [await objects(site), await routes()];
    await expect(site.apply(loadChanged('no_such_column = 1'))).rejects.toThrow(
      'column "no_such_column" does not exist',
    );
    expect([await objects(site), await routes()]).toEqual(before);
  });
});

describe('what is no longer configured', () => {
  const debts = `insert into staffetta.delivery (target, entity, key) select target, entity, '1' from staffetta.route`;
  const links = `insert into staffetta.link (target, entity, key, remote_id, attributes) select target, entity, '1', 'uid=1', '{}' from staffetta.route`;
  const count = async () =>
    (
      await site.query(`select (select count(*)::int from staffetta.link) as links,
    (select array_agg(target || ' ' || entity order by target, entity) from staffetta.delivery) as deliveries`)
    )[0];
  const left = async (like: string) =>
    (
      await site.query(
        `select proname::text as name from pg_proc where pronamespace = 'staffetta'::regnamespace and proname like $1
      union all select relname::text from pg_class where relnamespace = 'staffetta'::regnamespace and relname like $1
      union all select tgname::text from pg_trigger where tgname like 'staffetta%' and tgrelid::regclass::text like $1
      union all select name from staffetta.generated where name like $1
      union all select source from staffetta.source where source like $1`,
        [like],
      )
    ).map(({ name }) => name);

  test('an entity: triggers, functions, views, routes, deliveries and events go, links never', async () => {
    await site.apply(everything);
    await site.query(debts);
    await site.query(links);
    await site.query(`insert into registry.team values (1, 'x')`);
    expect(await site.apply(configuration({ person }, ['badge', 'directory']))).toMatchObject({
      released: ['registry.team'],
      retired: [],
    });
    expect(await left('%team%')).toEqual([]);
    expect(await routes()).toEqual({ 'badge person': 1, 'directory person': 1 });
    expect(await count()).toEqual({ links: 4, deliveries: ['badge person', 'directory person'] });
    expect(await site.events()).toEqual([]);
    await site.query(`insert into registry.team values (2, 'y')`);
    expect(await site.events()).toEqual([]);
  });

  test('a target is retired: links stay, and it comes back with a rescan', async () => {
    await site.apply(everything);
    await site.query(debts);
    await site.query(links);
    expect(await site.apply(configuration({ person, team }))).toMatchObject({ released: [], retired: ['badge'] });
    expect(await left('%badge%')).toEqual([]);
    expect(await targets()).toEqual([
      ['badge', 'retired', 'no longer in the configuration'],
      ['directory', 'active', null],
    ]);
    expect(await count()).toEqual({ links: 4, deliveries: ['directory person', 'directory team'] });

    expect(await site.apply(everything)).toMatchObject({
      retired: [],
      routes: [{ target: 'badge' }, { target: 'badge' }],
    });
    expect(await targets()).toEqual([
      ['badge', 'active', null],
      ['directory', 'active', null],
    ]);
    expect(await routes()).toMatchObject({ 'badge person': 1, 'badge team': 1 });
    expect(await count()).toMatchObject({ links: 4 });
  });

  test('a target that an administrator paused stays paused', async () => {
    await site.apply(everything);
    await site.pool.query(`select staffetta.pause('badge', 'works')`);
    await site.apply(everything);
    expect(await targets()).toEqual([
      ['badge', 'paused', `works (${site.owner.name})`],
      ['directory', 'active', null],
    ]);
  });
});

describe('a dry run', () => {
  test('prints what gives the same triggers, functions and views, and changes nothing itself', async () => {
    const statements = await dryRun(site.pool, await site.load(everything));
    expect(
      await site.query(`select nspname from pg_namespace where nspname in ('staffetta', 'graphile_worker')`),
    ).toEqual([]);
    expect(statements.join('\n')).toContain('-- migrations/0001-queue.sql');

    const other = await createDatabase();
    const client = new pg.Client({ connectionString: other.url });
    client.on('notice', () => {});
    await client.connect();
    try {
      await client.query(`create schema registry; ${tables}`);
      await client.query(statements.join('\n\n'));
      await site.apply(everything);
      expect(without(await objects(other))).toEqual(without(await objects(site)));
    } finally {
      await client.end();
      await other.drop();
    }
    expect(await dryRun(site.pool, await site.load(everything))).toEqual([]);
  });

  test('prints what a change would do, and only that', async () => {
    await site.apply(everything);
    const before = await objects(site);
    const text = (
      await dryRun(
        site.pool,
        await site.load(configuration({ person: { ...person, sources: { 'registry.email': 'person_id' } } })),
      )
    ).join('\n');
    for (const expected of [
      /create trigger staffetta_u after update on registry\.email referencing new table/,
      /-- capture registry\.team is no longer configured\ndrop function if exists/,
      /drop view if exists staffetta\."desired_badge_person"/,
    ])
      expect(text).toMatch(expected);
    expect(text).not.toMatch(/migrations|sql\/|create view/);
    expect(await objects(site)).toEqual(before);
  });
});
