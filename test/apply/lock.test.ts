/** Apply while applications and daemons are at work. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { withShortLocks } from '../../src/apply/lock.ts';
import { describeFailure } from '../../src/commands/failure.ts';
import { until } from '../setup/until.ts';
import { configuration, createSite, type Site } from './site.ts';

let site: Site;
beforeAll(async () => {
  site = await createSite(`
    create table registry.person (id bigint primary key, n int not null default 0);
    create table registry.email (person_id bigint)`);
});
afterAll(() => site.close());

const config = configuration({
  person: { view: 'registry.person', sources: { 'registry.person': 'id', 'registry.email': 'person_id' } },
});

test('a table that a long transaction holds is tried for again and again, and nobody waits behind', async () => {
  const holder = await site.connect();
  const writer = await site.connect();
  await holder.query('begin; insert into registry.person values (1)');
  let over = false;
  const applied = site.apply(config).finally(() => {
    over = true;
  });
  const waiting = () =>
    site.query(
      `select pid from pg_locks where relation = 'registry.person'::regclass and not granted and mode in ('AccessExclusiveLock', 'ShareRowExclusiveLock')`,
    );
  const longest = { wait: 0, times: 0 };
  for (let id = 100; longest.times < 3; id++) {
    // Each time apply waits for the table, somebody else writes to it.
    await until(waiting, (found) => found.length > 0, { what: 'apply waits for the table' });
    const before = performance.now();
    await writer.query('insert into registry.person values ($1)', [id]);
    longest.wait = Math.max(longest.wait, performance.now() - before);
    longest.times += 1;
    await until(waiting, (found) => found.length === 0, { what: 'apply steps back' });
  }
  expect(over).toBe(false);
  expect(longest.wait).toBeLessThan(1_500); // apply gives up after 0.4 s, and lets everybody pass
  await holder.query('commit');
  expect((await applied).captured).toEqual(['registry.person', 'registry.email']);
  expect(await site.query('select count(*)::int from registry.person')).toEqual([{ count: 4 }]);
});

test('writers go on during an apply that makes everything anew, and each of their changes is captured', async () => {
  await site.events();
  const other = configuration({
    person: {
      view: 'registry.person',
      sources: { 'registry.person': { key: 'id', columns: ['n'] }, 'registry.email': 'person_id' },
    },
  });
  const writers = await Promise.all([1, 2, 3].map(() => site.connect()));
  let applying = true;
  let written = 0;
  const writing = writers.map(async (writer, number) => {
    while (applying) {
      await writer.query(
        `insert into registry.person values ($1, 1) on conflict (id) do update set n = registry.person.n + 1`,
        [1000 + number],
      );
      written += 1;
    }
  });
  for (const each of [other, config, other])
    expect(await site.apply(each)).toMatchObject({ captured: ['registry.person'] });
  applying = false;
  await Promise.all(writing);
  expect(written).toBeGreaterThan(20);
  expect(await site.events()).toHaveLength(written);
});

test('a table that is never free is told of, as a matter of the database and not of the program', async () => {
  const holder = await site.connect();
  await holder.query('begin; select pg_advisory_xact_lock(1)');
  const refused = await withShortLocks(
    site.pool,
    'table registry.email',
    (client) => client.query('select pg_advisory_xact_lock(1)'),
    2,
  ).catch((error: unknown) => error);
  expect(describeFailure(refused)).toEqual({
    message: 'table registry.email is locked by a long transaction (see pg_stat_activity); end it and run apply again',
    exitCode: 1,
  });
  await holder.query('rollback');
});
