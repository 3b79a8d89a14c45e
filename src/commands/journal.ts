import { type Command, InvalidArgumentError, Option } from 'commander';
import type pg from 'pg';
import { duration } from '../config/duration.ts';
import { warningOf } from '../hooks/answer.ts';
import { aosiResults } from './aosi-results.ts';
import { ask } from './ask.ts';
import { type CommonOptions, defineCommand, print, withDatabase } from './command.ts';
import { formatMoment, formatSeconds } from './moment.ts';
import { wholeNumber } from './whole-number.ts';

interface Options extends CommonOptions {
  readonly target?: string;
  readonly since?: Date;
  readonly limit: number;
  readonly failed?: boolean;
  readonly format: 'table' | 'aosi-xml';
}

interface Attempt extends pg.QueryResultRow {
  readonly at: Date;
  readonly now: Date;
  readonly target: string;
  readonly entity: string;
  readonly key: string | null;
  readonly operation: string;
  readonly result: string;
  readonly changed: readonly string[] | null;
  readonly count: number;
  readonly lag_seconds: number | null;
  readonly cause: string | null;
  readonly actor: string | null;
  readonly message: string | null;
  readonly module: string | null;
  readonly code: number | null;
  readonly hook: string | null;
}

const query = `
  select at, target, entity, key, operation, result, remote_id, changed, count, extract(epoch from lag)::float8 as lag_seconds,
    cause, actor, xid::text, attempt, error_kind, message, module, code, hook, clock_timestamp() as now
  from staffetta.journal
  where ($1::text is null or entity = $1) and ($2::text[] is null or key = any($2)) and ($3::text is null or target = $3)
    and ($4::timestamptz is null or at >= $4) and (not $5::boolean or result in ('retried', 'parked', 'unavailable', 'failed', 'refused'))
  order by at desc, module nulls first limit $6`;

/** `staffetta journal [ENTITY [KEY]]`: what was done, newest last. */
export function journalCommand(): Command {
  return defineCommand('journal', 'what was done, when, why and with what result; the newest last')
    .argument('[entity]', 'only this entity')
    .argument('[key]', 'only this key')
    .option('--target <name>', 'only this target')
    .option(
      '--since <when>',
      'no older than a length of time (30m, 7d) or a moment (2026-01-31, 2026-01-31T08:00Z)',
      readSince,
    )
    .option('--limit <number>', 'at most so many rows', wholeNumber(1), 50)
    .option('--failed', 'only attempts that failed')
    .addOption(
      new Option('--format <format>', 'table, or aosi-xml: one entry for each attempt, as AOSI answers')
        .choices(['table', 'aosi-xml'])
        .default('table'),
    )
    .action((entity: string | undefined, key: string | undefined, options: Options) =>
      withDatabase(options, async ({ pool }) => {
        const keys = entity === undefined || key === undefined ? null : await canonicalKeys(pool, entity, key);
        const values = [
          entity ?? null,
          keys,
          options.target ?? null,
          options.since ?? null,
          options.failed ?? false,
          options.limit,
        ];
        if (options.format === 'aosi-xml') {
          for (const entry of await aosiResults(pool, values)) console.log(entry);
          return;
        }
        const rows = (await ask<Attempt>(pool, query, values)).reverse();
        const modules = rows.some(({ module }) => module !== null);
        print(options, options.json ? rows : rows.map((row) => line(row, modules)));
      }),
    );
}

/** The key as the targets of the entity may write it. */
export async function canonicalKeys(pool: pg.Pool, entity: string, key: string): Promise<string[]> {
  const rows = await ask<{ key: string }>(
    pool,
    'select distinct k as key from staffetta.routes(null, $1) r cross join unnest(staffetta.canonical_keys(r.target, r.entity, array[$2])) k',
    [entity, key],
  );
  return rows.map((row) => row.key);
}

/** `modules`: whether some of the rows are of a backend or a hook, so that all have a column for it. */
function line(row: Attempt, modules: boolean) {
  const warning = row.hook === null || row.code === null ? undefined : warningOf(row.code);
  return {
    at: formatMoment(row.at, row.now),
    target: row.target,
    entity: row.entity,
    key: row.key ?? `(${row.count} at once)`,
    operation: row.operation,
    result: row.result,
    ...(modules ? { module: moduleOf(row) } : {}),
    changed: row.changed,
    lag: row.lag_seconds === null ? '' : formatSeconds(row.lag_seconds),
    cause: row.cause,
    actor: row.actor,
    message: warning === undefined ? row.message : [row.message, warning].filter((text) => text !== null).join('; '),
  };
}

function moduleOf({ module, hook, code }: Attempt): string {
  return module === null ? '' : `${[module, hook].filter((word) => word !== null).join(' ')} (${code})`;
}

function readSince(text: string): Date {
  const length = duration.safeParse(text);
  const at = length.success ? new Date(Date.now() - length.data) : new Date(text);
  if (Number.isNaN(at.getTime()))
    throw new InvalidArgumentError(
      'Expected a length of time such as 30m or 7d, or a moment such as 2026-01-31T08:00Z.',
    );
  return at;
}
