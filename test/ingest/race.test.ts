/** Many write, several ingest, others settle and retry: nothing is lost, nobody is in a deadlock. */
import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { configuration, createSite, type Site } from '../apply/site.ts';
import { createIngester, type Ingester } from './ingester.ts';

let site: Site;
let ingesters: Ingester[];
beforeAll(async () => {
  site = await createSite('create table registry.person (id bigint primary key, n int not null default 0)');
  await site.apply(
    configuration({ person: { view: 'registry.person', sources: { 'registry.person': 'id' } } }, [
      'badge',
      'directory',
    ]),
  );
  ingesters = await Promise.all([1, 2, 3, 4].map(() => createIngester(site, ['person'])));
});
afterAll(async () => {
  for (const { client } of ingesters) client.release(true);
  await site.close();
});
beforeEach(async () => {
  await site.query('truncate registry.person');
  await site.query('truncate staffetta.event, staffetta.delivery');
  for (const { ingest } of ingesters) ingest.reset();
});

/** Every event that a key ever had, by target, is counted in its delivery: none lost, none twice. */
const counted = () =>
  site.query<{ target: string; events: number }>(
    `select target, sum(events)::int as events from staffetta.delivery group by 1 order by 1`,
  );

const both = (events: number) => ['badge', 'directory'].map((target) => ({ target, events }));

describe('several ingesters', () => {
  test('lose nothing and count nothing twice, whatever eight writers do', async () => {
    const writers = await Promise.all(Array.from({ length: 8 }, () => site.connect()));
    const write = async (client: pg.Client, writer: number) => {
      for (let round = 0; round < 40; round++) {
        await client.query('begin');
        const rows = 1 + ((round * 7 + writer) % 5);
        await client.query(
          `insert into registry.person (id) select (random() * 200)::int from generate_series(1, $1) group by 1 order by 1
           on conflict (id) do update set n = registry.person.n + 1`,
          [rows],
        );
        if (round % 4 === 3) await client.query('rollback');
        else await client.query('commit');
      }
    };
    let writing = true;
    const drainAll = Promise.all(
      ingesters.slice(0, 3).map(async ({ drain }) => {
        while (writing) await drain();
      }),
    );
    await Promise.all(writers.map(write)).finally(() => {
      writing = false;
    });
    await drainAll;
    // What each ingester would see now, with the mark that it has: nothing may hide behind it.
    await Promise.all(ingesters.slice(0, 3).map(({ drain }) => drain()));
    expect(await site.query('select * from staffetta.event')).toEqual([]);
    const made = Number((await site.query('select sum(n) + count(*) as n from registry.person'))[0]?.n);
    expect(made).toBeGreaterThan(500);
    expect(await counted()).toEqual(both(made));
    for (const writer of writers) await writer.end();
  });

  test('are in no deadlock with each other, with who settles, retries or pauses', async () => {
    await site.query('insert into registry.person select generate_series(1, 400)');
    await Promise.all(ingesters.map(({ drain }) => drain()));
    const until = performance.now() + 2_500;
    const rounds = { write: 0, drain: 0, settle: 0, retry: 0 };
    const loop = async (what: keyof typeof rounds, work: () => Promise<unknown>) => {
      while (performance.now() < until) {
        await work();
        rounds[what] += 1;
      }
    };
    const shuffled = `select (random() * 399)::int + 1 as id from generate_series(1, 60)`;
    const [first, second, settler, retrier] = await Promise.all([1, 2, 3, 4].map(() => site.connect()));
    const change = `update registry.person set n = n + 1 where id in (select p.id from registry.person p join (${shuffled}) s on s.id = p.id order by p.id for update)`;
    await Promise.all([
      loop('write', async () => first?.query(change)),
      loop('write', async () => second?.query(change)),
      ...ingesters.map(({ drain }) => loop('drain', drain)),
      loop('settle', async () =>
        settler?.query(
          `with locked as materialized (select target, entity, key from staffetta.delivery
             where key in (select id::text from (${shuffled}) s) order by target, entity, key for update),
           gone as (delete from staffetta.delivery d using locked l where (d.target, d.entity, d.key) = (l.target, l.entity, l.key) and random() < 0.5)
           update staffetta.delivery d set token = null, due_at = clock_timestamp() from locked l
           where (d.target, d.entity, d.key) = (l.target, l.entity, l.key) and false`,
        ),
      ),
      loop('retry', async () => {
        await retrier?.query(`update staffetta.delivery set state = 'parked' where (target, entity, key) in (
          select target, entity, key from staffetta.delivery where random() < 0.1 order by target, entity, key for update)`);
        await retrier?.query(`select * from staffetta.retry()`);
      }),
    ]);
    expect(Math.min(...Object.values(rounds))).toBeGreaterThan(3);
    const [deadlocks] = await site.query(
      `select deadlocks::int from pg_stat_database where datname = current_database()`,
    );
    expect(deadlocks).toEqual({ deadlocks: 0 });
  });
});

describe('the low-water mark hides no event', () => {
  const [change, other] = ['insert into registry.person values (1)', 'insert into registry.person values (2)'];
  const keys = async () =>
    (await site.query(`select key from staffetta.delivery where target = 'badge' order by 1`)).map(({ key }) => key);
  const drain = async () => ingesters[0]?.drain();

  test('of a transaction with an older id that commits late', async () => {
    const late = await site.connect();
    await late.query(`begin; ${change}`);
    await site.query(other);
    await drain();
    await drain();
    expect(await keys()).toEqual(['2']);
    await late.query('commit');
    await drain();
    expect(await keys()).toEqual(['1', '2']);
  });

  test('of a transaction that has written nothing yet, but has an id', async () => {
    const late = await site.connect();
    await late.query(`begin; select pg_current_xact_id()`);
    await site.query(other);
    await drain();
    await drain();
    await late.query(`${change}; commit`);
    await drain();
    expect(await keys()).toEqual(['1', '2']);
  });

  test('that another ingester had locked, and then did not ingest', async () => {
    await site.query(change);
    const ingesting = await site.connect();
    await ingesting.query('begin; select * from staffetta.event for update');
    await site.query(other);
    await drain();
    await drain();
    expect(await keys()).toEqual(['2']);
    await ingesting.query('rollback');
    await drain();
    expect(await keys()).toEqual(['1', '2']);
  });

  test('written with an older id after a mark was passed, once a sweep or a new connection resets it', async () => {
    await site.query(other);
    await drain();
    await site.query(`insert into staffetta.event (xid, source, op, cols) values ('3', 'registry.person', 'U', '{1}')`);
    await drain();
    expect(await keys()).toEqual(['2']);
    ingesters[0]?.ingest.reset();
    await drain();
    expect(await keys()).toEqual(['1', '2']);
  });
});
