/**
 * `staffetta replay ENTITY [KEY…]`: do it again. The live entry of each key is read, compared with the desired state and
 * mended, by the daemons; `--wait` stays until they have.
 */
import { type Command, InvalidArgumentError } from 'commander';
import type pg from 'pg';
import { duration } from '../config/duration.ts';
import { ask, askTouched } from './ask.ts';
import { awaitDeliveries, type Owed } from './await-deliveries.ts';
import { type CommonOptions, defineCommand, print, UserError, withDatabase } from './command.ts';
import { chunksOf, readKeys } from './key-list.ts';

interface Options extends CommonOptions {
  readonly keysFrom?: string;
  readonly all?: boolean;
  readonly target?: string;
  readonly reason?: string;
  readonly wait?: boolean;
  /** Milliseconds. */
  readonly timeout: number;
}

interface Queued extends pg.QueryResultRow {
  readonly target: string;
  readonly entity: string;
  readonly key: string;
  readonly note: string;
}

/** The most rows that are shown one by one; of more, only how many there are of each kind. */
const shown = 50;

export function replayCommand(): Command {
  return defineCommand('replay', 'do it again: read the live entry, compare, mend')
    .argument('<entity>')
    .argument('[keys...]', 'keys of the entity')
    .option('--keys-from <file>', 'keys from a file, one per line (-: standard input)')
    .option('--all', 'every key that is in the view or on the target')
    .option('--target <name>', 'only on this target')
    .option('--reason <text>', 'why; it is written to the journal')
    .option('--wait', 'stay until it is done; exit code 1 if any of it failed')
    .option('--timeout <time>', 'how long --wait stays at most', readTimeout, 600_000)
    .action((entity: string, keys: readonly string[], options: Options) => {
      const ways = [keys.length > 0, options.keysFrom !== undefined, options.all === true].filter(Boolean).length;
      if (ways !== 1) throw new UserError('Which keys? Expected either KEY…, or --keys-from FILE, or --all.', 2);
      return withDatabase(options, ({ pool }) => replay(pool, entity, keys, options));
    });
}

async function replay(pool: pg.Pool, entity: string, keys: readonly string[], options: Options): Promise<void> {
  const queued = options.all ? await queueAll(pool, entity, options) : await queueKeys(pool, entity, keys, options);
  const { count, rows, summary } = queued;
  if (!options.json) print(options, rows.length > 0 ? rows : summary);
  if (!options.wait) {
    if (options.json) print(options, { queued: count, summary, deliveries: rows });
    return;
  }
  const { failed, failures, unfinished } = await awaitDeliveries(pool, queued.owed, options.timeout);
  const done = count - failed - unfinished;
  if (options.json) print(options, { queued: count, summary, deliveries: rows, done, failed, failures, unfinished });
  else {
    if (failed > 0) print(options, failures);
    console.log(`${done} done, ${failed} failed, ${unfinished} unfinished`);
  }
  if (failed > 0 || unfinished > 0) process.exitCode = 1;
}

interface Answer {
  readonly count: number;
  /** The single rows, unless they are many. */
  readonly rows: readonly Queued[];
  readonly summary: readonly {
    target: string | null;
    entity: string | null;
    deliveries: number | null;
    note: string;
  }[];
  readonly owed: Owed[];
}

async function queueAll(pool: pg.Pool, entity: string, { target, reason }: Options): Promise<Answer> {
  const summary = await askTouched(pool, 'replay_all($1, $2, $3)', [entity, target ?? null, reason ?? null]);
  const owed = summary.flatMap(({ target }): Owed[] => (target === null ? [] : [{ target, entity }]));
  return { count: summary.reduce((sum, { deliveries }) => sum + (deliveries ?? 0), 0), rows: [], summary, owed };
}

async function queueKeys(pool: pg.Pool, entity: string, keys: readonly string[], options: Options): Promise<Answer> {
  const { keysFrom, target, reason } = options;
  const rows: Queued[] = [];
  const counts = new Map<string, { target: string; entity: string; deliveries: number; note: string }>();
  const owed = new Map<string, string[]>();
  let count = 0;
  for await (const chunk of keysFrom === undefined ? chunksOf(keys) : readKeys(keysFrom)) {
    const values = [entity, chunk, target ?? null, reason ?? null];
    for (const row of await ask<Queued>(pool, 'select * from staffetta.replay($1, $2::text[], $3, $4)', values)) {
      const same = counts.get(`${row.target} ${row.note}`) ?? {
        target: row.target,
        entity,
        deliveries: 0,
        note: row.note,
      };
      counts.set(`${row.target} ${row.note}`, { ...same, deliveries: same.deliveries + 1 });
      count += 1;
      if (rows.length <= shown) rows.push(row);
      if (options.wait)
        owed
          .set(row.target, owed.get(row.target) ?? [])
          .get(row.target)
          ?.push(row.key);
    }
  }
  if (count === 0) throw new UserError(`There is no key in ${keysFrom === '-' ? 'standard input' : keysFrom}.`, 2);
  return {
    count,
    rows: count <= shown ? rows : [],
    summary: [...counts.values()],
    owed: [...owed].map(([target, keys]) => ({ target, entity, keys })),
  };
}

function readTimeout(text: string): number {
  const length = duration.safeParse(text);
  if (!length.success) throw new InvalidArgumentError('Expected a length of time such as 30s or 5m.');
  return length.data;
}
