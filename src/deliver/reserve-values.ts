import type { Queryable } from '../database/transaction.ts';
import type { Reservation } from './reserve.ts';
import type { StoredValue } from './stored.ts';

/** A value of a unique attribute that a key is to have. */
export interface ValueWish {
  readonly key: string;
  readonly attribute: string;
  readonly value: StoredValue;
  /** Its link says that it has it already: of two that wish for it together, it keeps it. */
  readonly applied: boolean;
}

/** Who has a value that was wished for. */
export interface ValueReservation extends Reservation {
  readonly value: StoredValue;
}

/**
 * Reserves values of unique attributes before they are written, one statement for a batch, fenced by the claim: what
 * `reserve` does for remote ids (PROTOCOL B6). Settle frees what the link no longer says.
 *
 * $1 target, $2 entity, $3 wishes, $4 token.
 */
const statement = `
/* staffetta reserve_values */
with want as materialized (
  select w.*, staffetta.folded(w.value) as normalised
  from jsonb_to_recordset($3::jsonb) as w(key text, attribute text, value jsonb, applied boolean)),
mine as materialized (
  select d.key from staffetta.delivery d
  where d.target = $1 and d.entity = $2 and d.key = any (array(select key from want)) and d.token = $4::uuid order by d.key for update),
won as (
  insert into staffetta.remote_value (target, attribute, normalised, entity, key)
  select distinct on (w.attribute collate "C", w.normalised collate "C") $1, w.attribute, w.normalised, $2, w.key from want w join mine using (key)
  order by w.attribute collate "C", w.normalised collate "C", w.applied desc, w.key collate "C"
  on conflict do nothing returning attribute, normalised, key)
select w.key, w.attribute, w.value, w.normalised, m.key is null as fenced,
  case when x.key is not null then jsonb_build_object('entity', $2::text, 'key', x.key)
       when r.key is not null then jsonb_build_object('entity', r.entity, 'key', r.key) end as holder
from want w left join mine m using (key) left join won x using (attribute, normalised)
left join staffetta.remote_value r on r.target = $1 and r.attribute = w.attribute collate "C" and r.normalised = w.normalised collate "C"`;

/** Reserves what can be had; the answer says of each wish who holds it now. Asks nothing where there is no wish. */
export async function reserveValues(
  database: Queryable,
  { target, entity, token, wishes }: { target: string; entity: string; token: string; wishes: readonly ValueWish[] },
): Promise<ValueReservation[]> {
  if (wishes.length === 0) return [];
  const { rows } = await database.query<ValueReservation>(statement, [target, entity, JSON.stringify(wishes), token]);
  return rows;
}
