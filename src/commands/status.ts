import type { Command } from 'commander';
import type pg from 'pg';
import { ask } from './ask.ts';
import { type CommonOptions, defineCommand, print, withDatabase } from './command.ts';
import { formatMoment, formatSeconds } from './moment.ts';

interface Status extends pg.QueryResultRow {
  readonly target: string;
  /** Null: of a retired target that has no links. */
  readonly entity: string | null;
  readonly state: string;
  readonly links: number;
  readonly pending: number;
  readonly claimed: number;
  readonly waiting: number;
  readonly held: number;
  readonly parked: number;
  readonly lag_seconds: number;
  readonly last_done_at: Date | null;
  readonly events_waiting: number;
  readonly daemons: number;
  readonly mode: string;
  readonly attention: readonly string[];
  readonly now: Date;
}

const query = `
  select target, entity, type, state, reason, since, links::float8, pending::float8, claimed::float8, waiting::float8,
    held::float8, parked::float8, retrying::float8, oldest_due, lag_seconds::float8, last_done_at, rescans_owed::float8,
    error, mode, events_waiting::float8, events_failed::float8, sources_failing::float8, daemons::float8, attention,
    clock_timestamp() as now
  from staffetta.status order by target, entity`;

/** `staffetta status`: what is there, what is owed, how late, and what needs a person. */
export function statusCommand(): Command {
  return defineCommand('status', 'what is there, what is owed, how late it is, and what needs a person').action(
    (options: CommonOptions) =>
      withDatabase(options, async ({ pool }) => {
        const rows = await ask<Status>(pool, query);
        if (options.json) print(options, rows);
        else show(options, rows);
      }),
  );
}

function show(options: CommonOptions, rows: readonly Status[]): void {
  const [first] = rows;
  if (!first) {
    console.log('No target is configured yet. Run `staffetta apply`.');
    return;
  }
  print(
    options,
    rows.map((row) => ({
      target: row.target,
      entity: row.entity,
      state: row.state,
      links: row.links,
      pending: row.pending,
      claimed: row.claimed,
      waiting: row.waiting,
      held: row.held,
      parked: row.parked,
      lag: row.lag_seconds === 0 ? '' : formatSeconds(row.lag_seconds),
      last_done: formatMoment(row.last_done_at, row.now),
    })),
  );
  console.log(`\nevents waiting: ${first.events_waiting}, daemons running: ${first.daemons}`);
  for (const line of remarks(rows)) console.log(`! ${line}`);
}

/** What needs a person, each thing once, with the routes that say it. */
function remarks(rows: readonly Status[]): string[] {
  const places = new Map<string, string[]>();
  for (const row of rows) {
    for (const remark of row.attention)
      places.set(remark, [...(places.get(remark) ?? []), [row.target, row.entity].filter(Boolean).join(' ')]);
  }
  return [...places].map(([remark, routes]) =>
    routes.length === rows.length ? remark : `${routes.join(', ')}: ${remark}`,
  );
}
