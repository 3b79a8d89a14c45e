import type { Queryable } from '../database/transaction.ts';
import type { Disable } from './load.ts';

/** A remote id that a key needs before it may go out. */
export interface Wish {
  readonly key: string;
  readonly normalised: string;
  /** How to disable the entry that is about to be made there, should it be all that remains. */
  readonly disable?: Disable | null;
}

/** Who has what was wished for. */
export interface Reservation extends Wish {
  /** The unique attribute of which it is a value; empty: it is a remote id. */
  readonly attribute: string;
  /** Our claim is gone: nothing may be sent for this key. */
  readonly fenced: boolean;
  /** Who holds it; null: taken in this instant, ask again. */
  readonly holder: { readonly entity: string; readonly key: string } | null;
}

/**
 * Reserves remote ids before they are used, one statement for a batch, fenced by the claim (PROTOCOL B6). Without it an
 * entry that was created by a worker which then died would be an orphan once its identity is gone.
 */
const statement = `
/* staffetta reserve */
with want as (select * from unnest($3::text[], $4::text[], $6::jsonb[]) as w(key, normalised, disable)),
mine as materialized (
  select d.key from staffetta.delivery d
  where d.target = $1 and d.entity = $2 and d.key = any($3::text[]) and d.token = $5 order by d.key for update),
won as (
  insert into staffetta.remote_id (target, normalised, entity, key, disable)
  select distinct on (w.normalised collate "C") $1, w.normalised, $2, w.key, w.disable from want w join mine using (key)
  order by w.normalised collate "C", w.key collate "C"
  on conflict do nothing returning normalised, key),
meant as ( -- what was said at an attempt before may be old
  update staffetta.remote_id r set disable = w.disable from want w join mine using (key)
  where (r.target, r.entity, r.key) = ($1, $2, w.key) and r.normalised = w.normalised collate "C" and w.disable is distinct from r.disable
    and w.disable is not null)
select w.key, '' as attribute, w.normalised, m.key is null as fenced,
  case when x.key is not null then jsonb_build_object('entity', $2::text, 'key', x.key)
       when r.key is not null then jsonb_build_object('entity', r.entity, 'key', r.key) end as holder
from want w left join mine m using (key) left join won x using (normalised)
left join staffetta.remote_id r on r.target = $1 and r.normalised = w.normalised collate "C"`;

/** Reserves what can be had; the answer says of each wish who holds it now. */
export async function reserve(
  database: Queryable,
  { target, entity, token, wishes }: { target: string; entity: string; token: string; wishes: readonly Wish[] },
): Promise<Reservation[]> {
  if (wishes.length === 0) return [];
  const { rows } = await database.query<Reservation>({
    text: statement,
    values: [
      target,
      entity,
      wishes.map(({ key }) => key),
      wishes.map(({ normalised }) => normalised),
      token,
      wishes.map(({ disable }) => (disable ? JSON.stringify(disable) : null)),
    ],
  });
  return rows;
}

/** The remote ids that are reserved for keys: where an entry may stand that no link tells of. */
export async function reservedIds(
  database: Queryable,
  target: string,
  entity: string,
  keys: readonly string[],
): Promise<Map<string, string[]>> {
  const { rows } = await database.query<Wish>(
    `select key, normalised from staffetta.remote_id where target = $1 and entity = $2 and key = any($3) order by normalised`,
    [target, entity, keys],
  );
  return new Map(
    [...Map.groupBy(rows, ({ key }) => key)].map(([key, rows]) => [key, rows.map(({ normalised }) => normalised)]),
  );
}
