import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readParameters } from '../../src/database/parameters.ts';
import { readFeeds } from '../../src/ingest/feeds.ts';
import { Ingest } from '../../src/ingest/ingest.ts';
import { configuration, createSite, type Site } from '../apply/site.ts';

let site: Site;
beforeAll(async () => {
  site = await createSite(`
    create table registry."Person" ("Id" bigint primary key, "User name" text);
    create table registry."odd, ""table"" of 'Zoë'; --" ("a ""key""" bigint primary key, "select" int);
    create table registry.visit (day date, at timestamptz, pause interval, weight float8, tag bytea, note text);
    create view registry.v_visit as select to_char(day, 'YYYY-MM-DD') as key, note from registry.visit`);
  await site.apply(
    configuration({
      person: {
        view: 'registry."Person"',
        key: 'Id',
        sources: {
          'registry."Person"': '"Person"."Id"',
          'registry."odd, ""table"" of \'Zoë\'; --"': { key: '"a ""key"""', columns: ['select'] },
        },
      },
      visit: {
        view: 'registry.v_visit',
        key: 'key',
        sources: {
          'registry.visit':
            "concat_ws(' ', to_char(day, 'YYYY-MM-DD'), to_char(at, 'YYYY-MM-DD HH24:MI'), extract(epoch from pause), weight, encode(tag, 'hex'))",
        },
      },
    }),
  );
});
afterAll(() => site.close());
beforeEach(async () => {
  await site.query('delete from staffetta.delivery');
});

/** The keys that the events of a statement become, and what did not become a key. */
async function keys(): Promise<string[]> {
  const [installation] = await site.query<{ revision: string }>('select revision from staffetta.installation');
  const ingest = new Ingest(await readFeeds(site.pool, ['person', 'visit']), installation?.revision ?? '');
  await ingest.drain(site.pool, await readParameters(site.pool));
  const rows = await site.query<{ said: string }>(
    `select entity || ' ' || key as said from staffetta.delivery union all select error from staffetta.event_failed order by 1`,
  );
  return rows.map(({ said }) => said);
}

test('tables and columns of any name', async () => {
  await site.query(`insert into registry."Person" values (1, 'ada')`);
  await site.query(`insert into registry."odd, ""table"" of 'Zoë'; --" values (2, 2)`);
  await site.query(`update registry."odd, ""table"" of 'Zoë'; --" set "select" = 3, "a ""key""" = 4`);
  expect(await keys()).toEqual(['person 1', 'person 2', 'person 4']);
});

describe('a key means the same whatever the settings of the session that wrote it', () => {
  test.each([
    `set datestyle = 'SQL, DMY'`,
    `set datestyle = 'German'`,
    `set intervalstyle = 'sql_standard'`,
    `set timezone = 'Asia/Kathmandu'; set datestyle = 'Postgres, MDY'`,
    'set extra_float_digits = -10',
    `set bytea_output = 'escape'`,
  ])('%s', async (setting) => {
    const client = await site.connect();
    await client.query(setting);
    await client.query(
      `insert into registry.visit values ('2026-03-04', '2026-03-04 05:06:00+00', '-1 day -2 hours', 0.1234567890123, '\\x00ff5c')`,
    );
    expect(await keys()).toEqual(['visit 2026-03-04 2026-03-04 05:06 -93600.000000 0.1234567890123 00ff5c']);
  });
});
