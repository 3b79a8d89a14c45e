import type pg from 'pg';
import { failureCode, success } from '../hooks/aosi.ts';
import { resultXml, type StatusXml } from '../hooks/entry-xml.ts';
import { ask } from './ask.ts';

interface Attempt extends pg.QueryResultRow {
  readonly key: string;
  readonly remote_id: string | null;
  readonly result: string;
  readonly error_kind: string | null;
  readonly message: string | null;
  readonly hooks: readonly Hook[] | null;
}

interface Hook {
  readonly module: string;
  readonly hook: string;
  readonly code: number;
  readonly message: string | null;
}

/** What was tried; what hooks said of an attempt was written with it. */
const query = `
  select key, remote_id, result, error_kind, message, (
    select json_agg(json_build_object('module', h.module, 'hook', h.hook, 'code', h.code, 'message', h.message) order by h.at, h.ctid)
    from staffetta.journal h
    where h.run = j.run and (h.target, h.entity, h.key) = (j.target, j.entity, j.key) and h.hook is not null
      and h.at between j.at - interval '1 minute' and j.at + interval '1 minute') as hooks
  from staffetta.journal j
  where module is null and key is not null and result in ('done', 'warned', 'retried', 'waiting', 'parked', 'unavailable')
    and ($1::text is null or entity = $1) and ($2::text[] is null or key = any($2)) and ($3::text is null or target = $3)
    and ($4::timestamptz is null or at >= $4) and (not $5::boolean or result in ('retried', 'parked', 'unavailable'))
  order by at desc limit $6`;

/**
 * Attempts in the form in which AOSI answers, the newest last; `values` are those of the journal's own query. What no hook
 * was called for has the bare form.
 */
export async function aosiResults(pool: pg.Pool, values: readonly unknown[]): Promise<string[]> {
  return (await ask<Attempt>(pool, query, [...values])).reverse().map(resultOf);
}

function resultOf({ key, remote_id, result, error_kind, message, hooks }: Attempt): string {
  const done = result === 'done' || result === 'warned';
  const status = done ? success : { code: failureCode(error_kind), message: message ?? '' };
  const said = (phase: 'before' | 'after'): StatusXml[] =>
    (hooks ?? [])
      .filter(({ hook }) => hook.startsWith(phase))
      .map(({ module: name, code, message: words }) => ({
        element: `${phase}_plugin_status`,
        name,
        code,
        message: words ?? '',
      }));
  return resultXml(remote_id ?? key, [...said('before'), { element: 'status', ...status }, ...said('after')]);
}
