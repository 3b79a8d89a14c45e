import pg from 'pg';
import type { ReferenceForm } from '../config/policies.ts';
import type { Queryable } from '../database/transaction.ts';

const { escapeIdentifier } = pg;

/** A member whose place in the holder's entry may have to change. */
export interface Member {
  readonly attribute: string;
  readonly refEntity: string;
  readonly refKey: string;
  /** Whether the holder's desired state names it. */
  readonly desired: boolean;
  /** The id to stand in the entry: null if it is not desired, or has no entry yet. */
  readonly wanted: string | null;
  /** The id that stands there; null: none. */
  readonly applied: string | null;
  /** It stands there only until there is another member (`empty: keep`). */
  readonly kept?: boolean;
}

/** The members of one holder: how many stand there and will, and those that are to be looked at. */
export interface Members {
  readonly members: readonly Member[];
  /** Attribute → members that stand in the entry now, and that should. */
  readonly counts: ReadonlyMap<string, { readonly applied: number; readonly wanted: number }>;
}

/** An entity of a target whose entries have members. */
export interface Holders {
  readonly target: string;
  readonly entity: string;
  /** Exact SQL type of the entity's key. */
  readonly keyType: string;
  /** Attribute → the entity it refers to. */
  readonly references: ReadonlyMap<string, string>;
  /** What stands for a member in entries of this target. */
  readonly refersBy: ReferenceForm;
}

/** The column of a link that stands for its key in the entries of others. */
export function idColumn(by: ReferenceForm): string {
  return by === 'stable id' ? 'stable_id' : 'remote_id';
}

/**
 * Records who is a member of whom before looking which members have an entry: a link made after this is committed
 * finds the holder and makes it due again, and one made before it is seen by `compareMembers`. So no arrival is missed
 * (PROTOCOL F1).
 */
function interest(view: string, keyType: string): string {
  return `
insert into staffetta.reference (target, entity, key, attribute, ref_entity, ref_key)
select distinct $3, $4, k.text, a.attribute, a.ref_entity, r.ref_key
from unnest($1::${keyType}[], $2::text[]) as k(key, text)
cross join lateral (select * from ${view} x where x.key = k.key offset 0) r
join unnest($5::text[], $6::text[]) as a(attribute, ref_entity) on a.attribute = r.attribute
where r.ref_key is not null
on conflict do nothing`; // finds those that are there by their key, one by one, where NOT EXISTS may compare each with each
}

/**
 * Looks only at members that are recorded: one that joined since would be written without anybody knowing that it
 * stands there, and the event of its joining makes the holder due again. Only members that differ leave the database,
 * unless a holder is unsure: of ten thousand members and one change, one.
 */
function comparison(view: string, keyType: string, by: ReferenceForm): string {
  return `
with both_sides as (
  select k.text as key, a.attribute, a.ref_entity, r.ref_key, true as desired, false as recorded, null::text as applied, false as kept
  from unnest($1::${keyType}[], $2::text[]) as k(key, text)
  cross join lateral (select * from ${view} x where x.key = k.key offset 0) r
  join unnest($5::text[], $6::text[]) as a(attribute, ref_entity) on a.attribute = r.attribute
  where r.ref_key is not null
  union all
  select s.key, s.attribute, s.ref_entity, s.ref_key, false, true, s.applied, s.kept from staffetta.reference s
  where s.target = $3 and s.entity = $4 and s.key = any($2::text[])),
member as ( -- grouped, not joined: a join of two sides of unknown size may compare each with each
  select key, attribute, ref_entity, ref_key, bool_or(desired) as desired, max(applied) as applied, bool_or(kept) as kept
  from both_sides group by key, attribute, ref_entity, ref_key having bool_or(recorded)),
compared as (
  select m.*, case when m.desired then l.id end as wanted from member m
  left join lateral (
    select ${idColumn(by)} as id from staffetta.link k where (k.target, k.entity, k.key) = ($3, m.ref_entity, m.ref_key) offset 0) l on true),
counted as (
  select *, count(applied) over holder as applied_count, count(wanted) over holder as wanted_count,
    row_number() over (partition by key, attribute) = 1 as one_of_each
  from compared window holder as (partition by key, attribute))
select key, attribute, ref_entity as "refEntity", ref_key as "refKey", desired, wanted, applied,
  applied_count::int as "appliedCount", wanted_count::int as "wantedCount",
  wanted is distinct from applied or not desired or kept or key = any($7::text[]) as differs
from counted
where wanted is distinct from applied or not desired or kept or key = any($7::text[]) or one_of_each`;
}

/** Reads the members of holders of one entity, by key. `unsure`: those of which every member is wanted. */
export async function compareMembers(
  database: Queryable,
  { target, entity, keyType, references: attributes, refersBy: by }: Holders,
  keys: readonly string[],
  unsure: readonly string[],
): Promise<Map<string, Members>> {
  const view = `staffetta.${escapeIdentifier(`desired_${target}_${entity}_refs`)}`;
  const values = [keys, keys, target, entity, [...attributes.keys()], [...attributes.values()]];
  await database.query(interest(view, keyType), values);
  const { rows } = await database.query<
    Member & { key: string; appliedCount: number; wantedCount: number; differs: boolean }
  >(comparison(view, keyType, by), [...values, unsure]);
  return new Map(
    [...Map.groupBy(rows, ({ key }) => key)].map(([key, rows]) => [
      key,
      {
        members: rows.filter(({ differs }) => differs),
        counts: new Map(
          rows.map(({ attribute, appliedCount, wantedCount }) => [
            attribute,
            { applied: appliedCount, wanted: wantedCount },
          ]),
        ),
      },
    ]),
  );
}
