import { afterAll, beforeAll, expect, test } from 'vitest';
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
