import { afterAll, beforeAll, expect, test } from 'vitest';
import { readParameters } from '../../src/database/parameters.ts';
import type { Queryable } from '../../src/database/transaction.ts';
import { configuration, createSite, type Site } from '../apply/site.ts';
import { createIngester, type Ingester } from './ingester.ts';

let site: Site;
let ingester: Ingester;
beforeAll(async () => {
  site = await createSite('create table registry.person (id bigint primary key, uid text)');
  await site.apply(configuration({ person: { view: 'registry.person', sources: { 'registry.person': 'id' } } }));
  ingester = await createIngester(site, ['person']);
});
afterAll(async () => {
  ingester.client.release(true);
  await site.close();
});

test('statistics and plans of a queue that was empty do not make a full one slow', async () => {
  await site.query('insert into registry.person select n from generate_series(1, 100) n');
  await ingester.drain();
  await site.query('truncate staffetta.delivery');
  await site.query('analyze staffetta.event, staffetta.delivery');
  for (let polls = 0; polls < 10; polls += 1) await ingester.drain();

  // A nested loop over a batch would take a minute; this takes a second.
  await site.query('insert into registry.person select n from generate_series(101, 20100) n');
  expect((await ingester.drain()).events).toBe(20_000);
});

test('what is committed behind a batch while others are taken comes with the same drain', async () => {
  await site.query('truncate registry.person');
  await ingester.drain();
  await site.query('truncate staffetta.delivery');
  await site.query(`update staffetta.parameter set number = 3 where code = 'INGEST_BATCH'`);
  const early = await site.connect();
  await early.query('begin; insert into registry.person values (1)');
  for (const id of [2, 3, 4, 5, 6, 7, 8]) await site.query('insert into registry.person values ($1)', [id]);
  let batches = 0;
  const database: Queryable = {
    query: async (statement, values) => {
      const answer = await ingester.client.query(statement, values);
      if (typeof statement !== 'string' && statement.name?.startsWith('ingest_')) batches += 1;
      if (batches === 2) await early.query('commit');
      return answer;
    },
  };
  const { events } = await ingester.ingest.drain(database, await readParameters(ingester.client));
  expect(events).toBe(8);
  expect(await site.query('select count(*)::int as owed from staffetta.delivery')).toEqual([{ owed: 8 }]);
});
