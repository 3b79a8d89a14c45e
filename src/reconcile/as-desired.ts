/**
 * Entries that are right, told from the others at a glance. Most of what a target holds is right, to the letter; whoever
 * is so needs neither its link nor a plan. This never says that an entry has drifted: of whatever it does not recognise
 * it knows nothing, and the planner judges that.
 */
import pg from 'pg';
import { isPassing, isSchemaError } from '../database/sqlstate.ts';
import type { Queryable } from '../database/transaction.ts';
import { holds } from '../deliver/diff.ts';
import { attributesIn } from '../deliver/load.ts';
import type { Mapping } from '../deliver/plan.ts';
import type { Route } from '../deliver/route.ts';
import type { Attributes, RemoteState } from '../targets/target.ts';
import type { EntryLimits } from './load-unclaimed.ts';

const { escapeIdentifier, escapeLiteral } = pg;

/** The desired state of a key that has an active link. */
export interface Glimpse {
  readonly key: string;
  /** Null: a column of its template is NULL or empty. */
  readonly remoteId: string | null;
  /** Null: it is released, or there is too much of it. */
  readonly attributes: Attributes | null;
  /** Whether the link says that this is its place. */
  readonly inPlace: boolean;
  /** Whether the link says that what is desired is what was written of attributes that others write, too (`merge`). */
  readonly merged: boolean;
}

/** What the statement answers: the attributes are texts of JSON. */
type Row = Omit<Glimpse, 'attributes'> & { readonly open: string | null; readonly secrets: string | null };

/**
 * The view's row as `load` reads it, so that a row that `load` cannot read is not read here; but of the link only two
 * answers, and no fingerprint. Of an entry that is larger than one may be ($5), and of what is more than may come at once
 * ($6), the values stay in the database.
 */
function statement({ target, entity, keyType, mapping }: Route): string {
  const view = `staffetta.${escapeIdentifier(`desired_${target}_${entity}`)}`;
  const merged = [...mapping.policies].flatMap(([name, policy]) => {
    const literal = escapeLiteral(name);
    return policy === 'merge'
      ? `(l.attributes -> ${literal})::text is not distinct from (d.open::json -> ${literal})::text`
      : [];
  });
  return `
select key, "remoteId", "inPlace", merged, case when fits then open end as open, case when fits then secrets end as secrets
from (
  select s.*, bytes <= $5::bigint and sum(bytes) over (rows unbounded preceding) <= $6::bigint as fits from (
    select k.text as key, d.remote_id as "remoteId", d.open, d.secrets, d.remote_id = l.remote_id as "inPlace",
      ${merged.join(' and ') || 'true'} as merged,
      octet_length(d.open)::bigint + coalesce(octet_length(d.secrets), 0) + coalesce(pg_column_size(d.disable), 0)
        + coalesce(pg_column_size(d.match), 0) + coalesce(octet_length(d.remote_id), 0) as bytes
    from unnest($1::${keyType}[], $2::text[]) as k(key, text)
    cross join lateral (select x.remote_id, x.open, x.secrets, x.disable, x.match from ${view} x where x.key = k.key offset 0) d
    cross join lateral (
      select o.remote_id, o.attributes from staffetta.link o
      where (o.target, o.entity, o.key) = ($3, $4, k.text collate "C") and o.state = 'active' offset 0) l) s) f`;
}

/** Reads them; nothing where a row of the view fails: who is to blame is found out by `load` (PROTOCOL B12). */
export async function glimpse(
  session: Queryable,
  route: Route,
  keys: readonly string[],
  { entry, batch }: EntryLimits,
): Promise<Glimpse[]> {
  const { target, entity, keyType, references } = route;
  if (references.size > 0 || keys.length === 0) return []; // whose members are right is more than a glance tells
  try {
    const { rows } = await session.query<Row>({
      name: `glimpse_${target}_${entity}_${keyType}`.slice(0, 63),
      text: statement(route),
      values: [keys, keys, target, entity, entry, batch],
    });
    return rows.map((row) => ({ ...row, attributes: attributesIn(row) }));
  } catch (error) {
    if (isSchemaError(error) || isPassing(error)) throw error;
    return [];
  }
}

/** The keys of which the entries are surely as they should be. */
export function keysAsDesired(
  glimpses: readonly Glimpse[],
  entries: ReadonlyMap<string, RemoteState>,
  mapping: Mapping,
  normalise: (remoteId: string) => string,
): Set<string> {
  const right = new Set<string>();
  const seen = new Set<string>();
  for (const one of glimpses) {
    const live = entries.get(one.key);
    if (live && !seen.has(one.key) && isAsDesired(one, live, mapping, normalise)) right.add(one.key);
    else right.delete(one.key); // a second row of the view: none of them counts
    seen.add(one.key);
  }
  return right;
}

function isAsDesired(
  { remoteId, attributes, inPlace, merged }: Glimpse,
  live: RemoteState,
  mapping: Mapping,
  normalise: (remoteId: string) => string,
): boolean {
  if (remoteId === null || attributes === null) return false;
  if (live.remoteId !== remoteId && !(inPlace && normalise(live.remoteId) === normalise(remoteId))) return false;
  return holds(attributes, live.attributes, mapping, merged);
}
