/** How fast events become deliveries, and whether that stays so with a long backlog and a long transaction beside it. */

import { readParameters } from '../../src/database/parameters.ts';
import { createPool } from '../../src/database/pool.ts';
import { readFeeds } from '../../src/ingest/feeds.ts';
import { Ingest } from '../../src/ingest/ingest.ts';
import { DatabaseServer } from '../database-server.ts';
import { Directory } from '../directory.ts';
import type { Figure } from '../figure.ts';
import type { Measurement } from '../measurement.ts';
import { Site } from '../site.ts';
import { withClient } from '../with-client.ts';

const rate: Figure = {
  name: 'ingest.events_per_s',
  unit: '/s',
  meaning: 'events made into deliveries for 3 targets, 10 million of them waiting, a long transaction beside it',
};

const flatness: Figure = {
  name: 'ingest.last_to_first',
  unit: '',
  meaning: 'the last hundredth of these events against the first (time)',
  goal: { atMost: 1.5 },
};

/** What an import leaves: each of its people has so many events in a row, of their own row, addresses, careers. */
const eventsEach = 10;
/** Transactions that they come in: more rows than make a transaction bulk, fewer than all. */
const transactions = 1_000;

export const ingest: Measurement = {
  name: 'ingest',
  figures: [rate, flatness],
  async measure(run, stack) {
    const each = Math.ceil(run.size(10_000_000) / transactions);
    const server = await DatabaseServer.start(run, stack);
    const url = await server.createUniversity('university', 1_000);
    const { pool, loaded } = await Site.open(run, stack, url, await Directory.start(stack), {
      configure: threeTargets,
    });
    // Older than every event, with an id of its own: no row that is deleted from now on can be cleared away.
    const old = await pool.connect();
    stack.defer(() => old.release(true));
    await old.query('begin isolation level repeatable read');
    await old.query('select pg_current_xact_id()');
    run.say(`${each * transactions} events`);
    await withClient(url, async (client) => {
      await client.query(backlog(each));
      await client.query('vacuum analyze staffetta.event');
    });
    await server.checkpoint();

    const database = createPool(url, 'staffetta bench ingest', 1);
    stack.defer(() => database.end());
    const resident = new Ingest(await readFeeds(database, Object.keys(loaded.config.entities)), loaded.revision);
    const batches: { readonly events: number; readonly at: number }[] = [];
    const began = performance.now();
    const { events } = await resident.drain(database, await readParameters(database), {
      ingested: (batch) => batches.push({ events: batch.events, at: performance.now() - began }),
      stop: run.stop,
    });
    if (events !== each * transactions) throw new Error(`${events} events were ingested, not ${each * transactions}`);
    const took = batches.at(-1)?.at ?? Number.NaN;
    run.record(rate, (events * 1_000) / took);
    run.record(flatness, lastToFirst(batches, events / 100));
  },
};

/** Adds two targets like the first. */
function threeTargets(text: string): string {
  const [, target = ''] = text.split(/\n(?= {2}directory:)/);
  return [text, ...['second', 'third'].map((name) => target.replace('directory:', `${name}:`))].join('\n');
}

/** Events as the trigger writes them. */
const backlog = (each: number) => `do $$ begin
  for batch in 0..${transactions - 1} loop
    insert into staffetta.event (source, op, cols)
    select 'registry.person', 'U', array[(1 + (batch * ${each} + row) / ${eventsEach})::text] from generate_series(0, ${each - 1}) row;
    commit;
  end loop;
end $$`;

/** The pace of the last batches, as many as have so many events, against that of the first. */
function lastToFirst(batches: readonly { readonly events: number; readonly at: number }[], share: number): number {
  const paces = batches.map(({ events, at }, index) => ({ events, ms: at - (batches[index - 1]?.at ?? 0) }));
  const pace = (some: typeof paces) => {
    let [events, ms] = [0, 0];
    for (const batch of some) {
      if (events >= share) break;
      events += batch.events;
      ms += batch.ms;
    }
    return ms / events;
  };
  return pace(paces.toReversed()) / pace(paces);
}
