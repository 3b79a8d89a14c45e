import pg from 'pg';
import type { Queryable } from '../database/transaction.ts';
import { idColumn, type Members } from '../deliver/references.ts';
import type { Route } from '../deliver/route.ts';

const { escapeIdentifier } = pg;

/**
 * The members that holders should have, with the ids that should stand for them. Unlike `compareMembers` it records
 * nothing: looking must not change what is known of who refers to whom.
 */
export async function wantedMembers(
  session: Queryable,
  { target, entity, keyType, references, refersBy }: Route,
  keys: readonly string[],
): Promise<Map<string, Members>> {
  if (references.size === 0 || keys.length === 0) return new Map();
  const view = `staffetta.${escapeIdentifier(`desired_${target}_${entity}_refs`)}`;
  const { rows } = await session.query<{
    key: string;
    attribute: string;
    refEntity: string;
    refKey: string;
    wanted: string | null;
  }>(
    `select k.text as key, a.attribute, a.ref_entity as "refEntity", r.ref_key as "refKey", l.id as wanted
     from unnest($1::${keyType}[], $2::text[]) as k(key, text)
     cross join lateral (select * from ${view} x where x.key = k.key offset 0) r
     join unnest($4::text[], $5::text[]) as a(attribute, ref_entity) on a.attribute = r.attribute
     left join lateral (
       select ${idColumn(refersBy)} as id from staffetta.link o where (o.target, o.entity, o.key) = ($3, a.ref_entity, r.ref_key) offset 0) l on true
     where r.ref_key is not null`,
    [keys, keys, target, [...references.keys()], [...references.values()]],
  );
  const members = rows.map(({ key, ...member }) => ({ key, member: { ...member, desired: true, applied: null } }));
  return new Map(
    [...Map.groupBy(members, ({ key }) => key)].map(([key, own]) => [
      key,
      { members: own.map(({ member }) => member), counts: new Map() },
    ]),
  );
}
