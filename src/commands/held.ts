import type { Command } from 'commander';
import type pg from 'pg';
import { ask } from './ask.ts';
import { type CommonOptions, defineCommand, print, withDatabase } from './command.ts';
import { formatMoment } from './moment.ts';
import { wholeNumber } from './whole-number.ts';

interface Options extends CommonOptions {
  readonly limit: number;
}

interface Held extends pg.QueryResultRow {
  readonly target: string;
  readonly entity: string;
  readonly key: string;
  readonly by: string;
  readonly planned: string;
  readonly reason: string | null;
  readonly since: Date;
  readonly cause: string | null;
  readonly actor: string | null;
}

/** How many of a route wait for the same. */
interface Summary extends pg.QueryResultRow {
  readonly target: string;
  readonly entity: string;
  readonly by: string;
  readonly deliveries: number;
  /** That of the last of them. */
  readonly reason: string | null;
  readonly now: Date;
}

const asked = 'from staffetta.held where ($1::text is null or target = $1) and ($2::text is null or entity = $2)';

/** `staffetta held [TARGET [ENTITY]]`: what waits for a word, why, and what would be done. */
export function heldCommand(): Command {
  return defineCommand('held', 'what the guard holds or a manual target waits for')
    .argument('[target]', 'only this target')
    .argument('[entity]', 'only this entity')
    .option('--limit <number>', 'show at most so many', wholeNumber(0), 100)
    .action((target: string | undefined, entity: string | undefined, options: Options) =>
      withDatabase(options, async ({ pool }) => {
        const names = [target ?? null, entity ?? null];
        await ask(pool, 'select staffetta.routes($1, $2)', names);
        const rows = await ask<Held>(
          pool,
          `select target, entity, key, by, planned, reason, since, last_cause as cause, last_actor as actor ${asked}
           order by target, entity, since, key limit $3`,
          [...names, options.limit],
        );
        if (options.json) print(options, rows);
        else show(options, await summarise(pool, names), rows);
      }),
    );
}

function summarise(pool: pg.Pool, names: readonly (string | null)[]): Promise<Summary[]> {
  return ask<Summary>(
    pool,
    `select target, entity, by, count(*)::float8 as deliveries, (array_agg(reason order by since desc, key))[1] as reason, clock_timestamp() as now
     ${asked} group by 1, 2, 3 order by 1, 2, 3`,
    names,
  );
}

function show(options: Options, summaries: readonly Summary[], rows: readonly Held[]): void {
  const [first] = summaries;
  if (!first) {
    console.log('Nothing waits for a word.');
    return;
  }
  print(
    options,
    summaries.map(({ now: _, ...summary }) => summary),
  );
  if (rows.length > 0) console.log('');
  if (rows.length > 0)
    print(
      options,
      rows.map(({ by: _, reason: __, since, ...row }) => ({ ...row, since: formatMoment(since, first.now) })),
    );
  const more = summaries.reduce((sum, { deliveries }) => sum + deliveries, -rows.length);
  if (more > 0) console.log(`… and ${more} more`);
}
