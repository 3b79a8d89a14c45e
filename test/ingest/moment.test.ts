/** What happens in the very moment in which the event at fault is looked for (PROTOCOL A10). */
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readParameters } from '../../src/database/parameters.ts';
import { configuration, createSite, type Site } from '../apply/site.ts';
import { createIngester, type Ingester } from './ingester.ts';

let site: Site;
let ingester: Ingester;
beforeAll(async () => {
  site = await createSite(`
    create table registry.person (id bigint primary key);
    create table registry.card (number text, person text);
    create function registry.number(text) returns bigint language sql as $$ select $1::bigint $$`);
  await site.apply(
    configuration({
      person: {
        view: 'registry.person',
        sources: { 'registry.person': 'id', 'registry.card': 'registry.number(person)' },
      },
    }),
  );
  ingester = await createIngester(site, ['person']);
});
afterAll(async () => {
  ingester.client.release(true);
  await site.close();
});
beforeEach(async () => {
  await site.query(
    'truncate registry.person, registry.card, staffetta.event, staffetta.delivery, staffetta.event_failed',
  );
  ingester.ingest.reset();
  await site.query(`insert into registry.card values (1, 'one')`);
});

/** Drains, while something happens just before the first event is singled out. */
async function drain(happen: () => unknown) {
  let happened = false;
  const database = new Proxy(ingester.client, {
    get: (real, property) =>
      property === 'query'
        ? async (query: string | { text: string }, ...values: unknown[]) => {
            const text = typeof query === 'string' ? query : query.text;
            if (!happened && /^select xid::text, seq, source/.test(text)) {
              happened = true;
              await happen();
            }
            const answer: unknown = await Reflect.apply(real.query, real, [query, ...values]);
            return answer;
          }
        : Reflect.get(real, property),
  });
  try {
    return await ingester.ingest.drain(database, await readParameters(site.pool));
  } finally {
    expect(happened).toBe(true);
  }
}

const state = async () => ({
  events: (await site.query('select from staffetta.event')).length,
  failed: (await site.query<{ cols: string[] }>('select cols from staffetta.event_failed')).map(({ cols }) => cols[0]),
  owed: (await site.query<{ key: string }>('select key from staffetta.delivery order by key')).map(({ key }) => key),
  broken: (await site.query<{ source: string }>('select source from staffetta.source where error is not null')).map(
    ({ source }) => source,
  ),
});

describe('an event at fault', () => {
  test('that another ingester takes in that moment is left to it: nobody is blamed, nothing is lost', async () => {
    const other = await site.connect();
    await drain(() => other.query('begin; select * from staffetta.event for update'));
    await other.query('rollback');
    expect(await state()).toEqual({ events: 1, failed: [], owed: [], broken: [] });
    await ingester.drain();
    expect(await state()).toEqual({ events: 0, failed: ['one'], owed: [], broken: [] });
  });

  test('of a source that breaks in that moment stays with its source, which says so; the others go on', async () => {
    await site.query('insert into registry.person values (5)');
    await drain(() => site.query('alter function registry.number(text) rename to elsewhere'));
    expect(await state()).toEqual({ events: 1, failed: [], owed: ['5'], broken: ['registry.card'] });
    await site.query('alter function registry.elsewhere(text) rename to number');
    await ingester.drain();
    expect(await state()).toEqual({ events: 0, failed: ['one'], owed: ['5'], broken: [] });
  });

  test('stays where it is when the connection is lost in that moment, which is nobody’s fault', async () => {
    const lost = () => {
      throw Object.assign(new pg.DatabaseError('terminating connection', 0, 'error'), { code: '57P01' });
    };
    await expect(drain(lost)).rejects.toThrow('terminating connection');
    expect(await state()).toEqual({ events: 1, failed: [], owed: [], broken: [] });
    await ingester.drain();
    expect((await state()).failed).toEqual(['one']);
  });
});
