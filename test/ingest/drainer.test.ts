import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { bellChannel, parkedLock } from '../../src/capture/trigger.ts';
import { Listener } from '../../src/database/listener.ts';
import { Drainer } from '../../src/ingest/drainer.ts';
import { readFeeds } from '../../src/ingest/feeds.ts';
import { Ingest } from '../../src/ingest/ingest.ts';
import { configuration, createSite, type Site } from '../apply/site.ts';
import { until } from '../setup/until.ts';

let site: Site;
let revision: string;
beforeAll(async () => {
  site = await createSite('create table registry.person (id bigint primary key, n int not null default 0)');
  await site.apply(configuration({ person: { view: 'registry.person', sources: { 'registry.person': 'id' } } }));
  // So long a poll that only the bell and the protocol of parking can be what wakes a drainer here.
  await site.query(`update staffetta.parameter set number = 60 where code = 'POLL_SECONDS'`);
  revision = (await site.query<{ revision: string }>('select revision from staffetta.installation'))[0]?.revision ?? '';
});
afterAll(() => site.close());
beforeEach(async () => {
  await site.query('truncate registry.person');
  await site.query('truncate staffetta.event, staffetta.delivery');
});

interface Running {
  readonly drainer: Drainer;
  readonly connections: number;
  readonly errors: string[];
  readonly events: number;
  readonly polls: number;
  stop(): Promise<void>;
}
const running: Running[] = [];
afterEach(async () => {
  for (const each of running.splice(0)) await each.stop();
});

async function start({ listen = true, url = site.owner.url } = {}): Promise<Running> {
  const stop = new AbortController();
  const seen = { connections: 0, errors: [] as string[], events: 0, polls: 0 };
  const ingest = new Ingest(await readFeeds(site.pool, ['person']), revision);
  const drainer = new Drainer(
    url,
    ingest,
    {
      connected: () => (seen.connections += 1),
      failed: (error) => seen.errors.push(String(error)),
      drained: (drained) => {
        if (drained) seen.events += drained.events;
        else seen.polls += 1;
      },
    },
    stop.signal,
  );
  const listener = listen ? new Listener(url, bellChannel, () => drainer.ring()) : undefined;
  listener?.start();
  const ended = drainer.run();
  const started: Running = {
    drainer,
    get connections() {
      return seen.connections;
    },
    get errors() {
      return seen.errors;
    },
    get events() {
      return seen.events;
    },
    get polls() {
      return seen.polls;
    },
    stop: async () => {
      stop.abort();
      await listener?.close();
      await ended;
    },
  };
  running.push(started);
  return started;
}

/** Sessions that hold the lock P of this database. */
const holders = () =>
  site.query<{ pid: number }>(
    `select pid from pg_locks join pg_database d on d.oid = database
     where locktype = 'advisory' and objid = $1 and granted and mode = 'ExclusiveLock' and datname = current_database()`,
    [parkedLock],
  );
/** A drainer holds P and does nothing: it has done what it does before it goes to sleep. */
const parked = async () => {
  await until(holders, (found) => found.length === 1, { what: 'a drainer parks' });
  let before = '';
  await until(
    async () => {
      const [session] = await site.query<{ change: string }>(
        `select state || state_change as change from pg_stat_activity where pid = any($1)`,
        [(await holders()).map(({ pid }) => pid)],
      );
      const still = session?.change === before;
      before = session?.change ?? '';
      return still && before.startsWith('idle');
    },
    (still) => still,
    { what: 'the drainer sleeps' },
  );
};
const owed = async () =>
  (await site.query<{ key: string }>('select key from staffetta.delivery order by length(key), key')).map(
    ({ key }) => key,
  );
const arrives = (...keys: string[]) =>
  until(owed, (found) => found.join() === keys.join(), { what: `deliveries of ${keys}`, patience: 5_000 });

describe('a drainer', () => {
  test('takes what is there when it starts, parks, and wakes at a commit', async () => {
    await site.query('insert into registry.person values (1)');
    const drainer = await start();
    await arrives('1');
    for (const id of [2, 3, 4]) {
      await parked();
      await site.query('insert into registry.person values ($1)', [id]);
      await arrives(...Array.from({ length: id }, (_, n) => String(n + 1)));
    }
    expect([drainer.events, drainer.connections, drainer.errors]).toEqual([4, 1, []]);
  });

  test('stays parked for a lone change, and lets go of P for many, so that not everybody has to ring', async () => {
    await start();
    await parked();
    const next = await site.connect();
    const taken = next.query('select pg_advisory_lock($1)', [parkedLock]).then(() => 'taken');
    await site.query('insert into registry.person values (1)');
    await arrives('1');
    await parked();
    expect(await Promise.race([taken, Promise.resolve('not to be had')])).toBe('not to be had');
    await site.query('insert into registry.person select generate_series(2, 20)');
    expect(await taken).toBe('taken');
    await next.query('select pg_advisory_unlock($1)', [parkedLock]);
  });

  test('misses no transaction that began before it parked and commits after, and so did not ring', async () => {
    const early = await site.connect();
    await early.query('begin; insert into registry.person values (1)');
    await start({ listen: false });
    await until(holders, (found) => found.length === 1);
    await early.query('commit');
    await arrives('1');
  });

  test('nor one that began when nobody was parked, and writes when it is', async () => {
    const early = await site.connect();
    await early.query('begin; select pg_current_xact_id()');
    await start();
    await until(holders, (found) => found.length === 1);
    await early.query('insert into registry.person values (1); commit');
    await arrives('1');
  });

  test('misses none of many transactions that come while it parks and wakes', async () => {
    await start();
    const writers = await Promise.all([1, 2, 3].map(() => site.connect()));
    await Promise.all(
      writers.map(async (writer, number) => {
        for (let round = 0; round < 60; round++) {
          await writer.query('begin');
          await writer.query('insert into registry.person values ($1)', [number * 1000 + round]);
          if (round % 3 === 0) await writer.query('select pg_sleep(0.001 * random())');
          await writer.query('commit');
        }
      }),
    );
    await until(owed, (found) => found.length === 180, { what: '180 deliveries', patience: 10_000 });
  });

  test('whose session is ended comes back, drains, and wakes again', async () => {
    const drainer = await start();
    for (const id of [1, 2]) {
      await parked();
      await site.query('select pg_terminate_backend(pid) from unnest($1::int[]) pid', [
        (await holders()).map(({ pid }) => pid),
      ]);
      await site.query('insert into registry.person values ($1)', [id]);
      await arrives(...Array.from({ length: id }, (_, n) => String(n + 1)));
    }
    await until(
      () => drainer.connections,
      (connections) => connections === 3,
    );
    expect(drainer.errors.length).toBeGreaterThan(0);
  });

  test('polls, whether or not anybody rings', async () => {
    await site.query(`update staffetta.parameter set number = 0.1 where code = 'POLL_SECONDS'`);
    const drainer = await start({ listen: false });
    await until(
      () => drainer.polls,
      (polls) => polls >= 3,
    );
    await site.query(`insert into staffetta.event (source, op, cols) values ('registry.person', 'I', '{1}')`);
    await arrives('1');
    await drainer.stop();
    await site.query(`update staffetta.parameter set number = 60 where code = 'POLL_SECONDS'`);
  });
});

describe('a drainer that waits for an old transaction', () => {
  test('polls all the same, so that what becomes due meanwhile is delivered (PROTOCOL E2)', async () => {
    await site.query(`update staffetta.parameter set number = 0.1 where code = 'POLL_SECONDS'`);
    const early = await site.connect();
    await early.query('begin; insert into registry.person values (1)');
    const drainer = await start({ listen: false });
    await until(
      () => drainer.polls,
      (polls) => polls >= 3,
    );
    await early.query('rollback');
    await drainer.stop();
    await site.query(`update staffetta.parameter set number = 60 where code = 'POLL_SECONDS'`);
  });
});

describe('two drainers', () => {
  test('share a database: one parks, both are told, each event is taken once', async () => {
    const [first, second] = [await start(), await start()];
    for (let id = 1; id <= 20; id++) await site.query('insert into registry.person values ($1)', [id]);
    await until(owed, (found) => found.length === 20);
    await until(holders, (found) => found.length === 1);
    expect(first.events + second.events).toBe(20);
    expect([...first.errors, ...second.errors]).toEqual([]);
    expect(await site.query('select distinct events from staffetta.delivery')).toEqual([{ events: 1 }]);
  });
});

describe('stop', () => {
  const promptly = async (drainer: Running) => {
    const before = performance.now();
    await drainer.stop();
    expect(performance.now() - before).toBeLessThan(2_000);
  };

  test('ends a parked drainer at once, and frees the lock', async () => {
    const drainer = await start();
    await parked();
    await promptly(drainer);
    await until(holders, (found) => found.length === 0);
  });

  test('ends one that cannot reach the database', async () => {
    const drainer = await start({ url: 'postgres://127.0.0.1:1/none' });
    await until(
      () => drainer.errors.length,
      (errors) => errors > 1,
    );
    expect(drainer.errors[0]).toContain('ECONNREFUSED');
    await promptly(drainer);
  });

  test('ends one that waits for an old transaction', async () => {
    const early = await site.connect();
    await early.query('begin; insert into registry.person values (1)');
    const drainer = await start();
    await until(holders, (found) => found.length === 1);
    await promptly(drainer);
    await early.query('rollback');
  });

  test('ends one with a long backlog after the batch under way', async () => {
    await site.query(`update staffetta.parameter set number = 1 where code = 'INGEST_BATCH'`);
    await site.query('insert into registry.person select generate_series(1, 20000)');
    const drainer = await start();
    await until(
      () => drainer.events,
      (events) => events > 3,
    );
    await promptly(drainer);
    expect(drainer.events).toBeLessThan(20_000);
    await site.query(`update staffetta.parameter set number = 10000 where code = 'INGEST_BATCH'`);
  });
});
