/** Mistakes in Staffetta's own SQL are told with file and line. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { inFile } from '../../src/database/in-file.ts';
import { migrate } from '../../src/database/migrate.ts';
import { pendingMigrations } from '../../src/database/migrations.ts';
import { migrationNames } from '../setup/migrations.ts';
import { configuration, createSite, type Site } from './site.ts';

let site: Site;
beforeAll(async () => {
  site = await createSite('create table registry.person (id bigint primary key)');
});
afterAll(() => site.close());
const config = configuration({ person: { view: 'registry.person', sources: { 'registry.person': 'id' } } });

test('in a file', async () => {
  const run = (text: string) => site.pool.query(text);
  await expect(inFile('sql/x.sql', 'select 1;\nselect\n  nothing;', run)).rejects.toThrow(
    'sql/x.sql:3: column "nothing" does not exist',
  );
  await expect(inFile('sql/x.sql', `do $$ begin raise 'by itself'; end $$`, run)).rejects.toThrow(
    'sql/x.sql: by itself',
  );
  await expect(inFile('sql/x.sql', 'select 1', run)).resolves.toBeUndefined();
});

test('in a migration, which leaves nothing behind and is tried again', async () => {
  await site.query(`create schema staffetta authorization ${site.owner.name}`);
  await site.query('create table staffetta.link (odd int)');
  await expect(site.apply(config)).rejects.toThrow('migrations/0001-queue.sql: relation "link" already exists');
  expect((await pendingMigrations(site.pool)).map(({ name }) => name)).toEqual(await migrationNames());
  expect(await site.query(`select to_regclass('staffetta.event') as event`)).toEqual([{ event: null }]);
  await site.query('drop table staffetta.link');
  expect(await migrate(site.pool)).toEqual(await migrationNames());
  expect(await pendingMigrations(site.pool)).toEqual([]);
  expect(await migrate(site.pool)).toEqual([]);
});

test('in sql/: a function that an older version left in the way', async () => {
  await site.query(`create function staffetta.actor() returns int language sql as 'select 1'`);
  await site.query(`alter function staffetta.actor() owner to ${site.owner.name}`);
  await expect(site.apply(config)).rejects.toThrow(
    /^sql\/110-route\.sql(:\d+)?: cannot change return type of existing function/,
  );
  expect(await site.query(`select * from pg_trigger where tgname like 'staffetta%'`)).toEqual([]);
  await site.query('drop function staffetta.actor()');
  expect(await site.apply(config)).toMatchObject({ captured: ['registry.person'] });
});
