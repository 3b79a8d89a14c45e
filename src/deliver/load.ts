import pg from 'pg';
import { defaults } from '../database/parameters.ts';
import type { Queryable } from '../database/transaction.ts';
import type { Attributes, Value } from '../targets/target.ts';
import type { Claimed } from './claim.ts';
import { isolate } from './isolate.ts';
import type { Stored } from './stored.ts';

const { escapeIdentifier } = pg;

/** What a target should hold for a key, read from its desired view. */
export interface Desired {
  /** In the view but not meeting `only`: the entry is let go, untouched. */
  readonly released: boolean;
  /** Null: a column of its template is NULL or empty. */
  readonly remoteId: string | null;
  /** Null where the fingerprint says that nothing differs from the link. */
  readonly attributes: Attributes | null;
  readonly disable: Disable | null;
  /** Attribute → value by which an existing entry is recognised; null where the mapping has no `match`, or a value is NULL. */
  readonly match: Readonly<Record<string, Value>> | null;
  readonly fingerprint: string | null;
}

/** How an entry is to be written once its identity has left the view. */
export interface Disable {
  readonly remote_id: string | null;
  readonly attributes: Attributes;
}

/** What Staffetta last put on the target for a key. */
export interface Link {
  readonly remoteId: string;
  readonly stableId: string | null;
  readonly state: 'active' | 'disabled' | 'kept';
  readonly attributes: Stored;
  readonly fingerprint: string | null;
  readonly disable: Disable | null;
  /** Seconds since a replay first proved the key absent; null: it is not, for all we know. */
  readonly absentFor: number | null;
  /** An administrator discarded what was to be done to the entry: it is kept until its identity is back. */
  readonly spared: boolean;
}

/** A key with everything that planning needs to know of it. */
export interface Loaded {
  readonly claimed: Claimed;
  /** Undefined: a successful read of the view, in this very replay, had no row (PROTOCOL C1). */
  readonly desired: Desired | undefined;
  readonly link: Link | undefined;
  /** Who waits for the remote id of this key and has no entry yet, so that this one may become theirs (PROTOCOL C4); looked for only where the key is absent. */
  readonly wantedBy: { readonly entity: string; readonly key: string } | undefined;
  /** How to disable an entry that was made and not recorded; looked for only where the key is absent and has no link. */
  readonly meant: Disable | undefined;
}

/** A key that cannot be loaded, with PostgreSQL's or our own sentence. */
export interface Unloadable {
  readonly claimed: Claimed;
  readonly reason: string;
  /** Of its desired state, where that could be read. */
  readonly fingerprint: string | null;
}

/** What was read of a batch. */
export interface Read {
  readonly loaded: Loaded[];
  readonly unloadable: Unloadable[];
  /** Not read this time: with them it would be more than may come at once. */
  readonly deferred: Claimed[];
}

/** How much may be read, in bytes. */
export interface Limits {
  /** Of one key: a larger entry is not read at all (parameter ENTRY_BYTES). */
  readonly entry: number;
  /** Of all keys; of at least one in any case. */
  readonly batch: number;
}

interface Row {
  key: string;
  present: boolean;
  released: boolean | null;
  remote_id: string | null;
  open: string | null;
  secrets: string | null;
  disable: Disable | null;
  match: Readonly<Record<string, Value>> | null;
  fingerprint: string | null;
  link: Link | null;
  wanted_by: { entity: string; key: string } | null;
  meant: Disable | null;
  bytes: number;
  largest: string | null;
  deferred: boolean;
}

/**
 * One query for a whole batch: each key looked up by itself, so that the indexes under the administrator's view are
 * used (PROTOCOL B3), whatever the sizes of the tables were when the plan was made. It is a statement of its own, after
 * the claim is committed, so that it sees everything that the claimed `rev` counts (B1).
 *
 * What is larger than an entry may be ($6) stays in the database, and so does what is more than may come at once ($7).
 */
function statement(target: string, entity: string, keyType: string): string {
  const view = `staffetta.${escapeIdentifier(`desired_${target}_${entity}`)}`;
  return `
with base as (
  select k.text as key, d.key is not null as present, d.released, d.remote_id, d.disable, d.match, d.fingerprint,
    case when k.unsure or d.fingerprint is distinct from l.fingerprint then d.open end as open,
    case when k.unsure or d.fingerprint is distinct from l.fingerprint then d.secrets end as secrets,
    case when l.key is not null then jsonb_build_object('remoteId', l.remote_id, 'stableId', l.stable_id, 'state', l.state,
      'attributes', l.attributes, 'fingerprint', l.fingerprint, 'disable', l.disable,
      'absentFor', extract(epoch from clock_timestamp() - l.absent_since), 'spared', l.spared) end as link
  from unnest($1::${keyType}[], $2::text[], $3::boolean[]) as k(key, text, unsure)
  left join lateral ( -- the view's own attributes and fingerprint would compute everything twice
    select y.*, case when not y.released then staffetta.fingerprint(y.remote_id, y.open, y.hashes, y.disable) end as fingerprint from (
      select x.key, x.released, x.remote_id, x.open, x.secrets, x.hashes, x.disable, x.match from ${view} x where x.key = k.key offset 0) y
    offset 0) d on true
  left join lateral (select * from staffetta.link o where (o.target, o.entity, o.key) = ($4, $5, k.text collate "C") offset 0) l on true),
sized as (
  select b.*, coalesce(octet_length(open), 0) + coalesce(octet_length(secrets), 0) + coalesce(pg_column_size(disable), 0) + coalesce(pg_column_size(match), 0)
    + coalesce(octet_length(remote_id), 0) as bytes
  from base b),
fitting as ( -- before they are added up, so that what is too large is never kept
  select key, present, released, fingerprint, link, bytes,
    case when bytes <= $6::bigint then open end as open, case when bytes <= $6::bigint then secrets end as secrets,
    case when bytes <= $6::bigint then disable end as disable,
    case when bytes <= $6::bigint then match end as match, case when bytes <= $6::bigint then remote_id end as remote_id,
    case when bytes > $6::bigint then (
      select a.key from (values (open), (secrets)) o(attributes) cross join lateral json_each(o.attributes::json) a
      order by octet_length(a.value::text) desc limit 1) end as largest
  from sized),
summed as (select f.*, sum(case when bytes <= $6::bigint then bytes else 0 end) over (rows unbounded preceding) > $7::bigint as deferred from fitting f)
select key, present, released, fingerprint, link, bytes, largest, deferred and bytes <= $6::bigint as deferred,
  case when not deferred then open end as open, case when not deferred then secrets end as secrets,
  case when not deferred then disable end as disable,
  case when not deferred then match end as match, case when not deferred then remote_id end as remote_id,
  case when not present then (select jsonb_build_object('entity', w.entity, 'key', w.key) from staffetta.delivery w
   where w.target = $4 and w.wait_entity = $5 and w.wait_key = summed.key and w.wait_attribute = ''
     and not exists (select from staffetta.link o where (o.target, o.entity, o.key) = ($4, w.entity, w.key))
   order by w.entity, w.key limit 1) end as wanted_by,
  case when not present and link is null then (select i.disable from staffetta.remote_id i
   where i.target = $4 and i.entity = $5 and i.key = summed.key and i.disable is not null order by i.normalised limit 1) end as meant
from summed`;
}

/**
 * Reads desired state and link of claimed keys of one entity. A row that cannot be read spoils no other (`isolate`). An
 * entry that is too large is unloadable, and what is more than may come at once is left for the next time.
 */
export async function load(
  database: Queryable,
  target: string,
  entity: string,
  keyType: string,
  claimed: readonly Claimed[],
  limits: Limits = { entry: defaults.ENTRY_BYTES, batch: Number.MAX_SAFE_INTEGER },
): Promise<Read> {
  const { results, failures } = await isolate(claimed, async (some) => {
    const keys = some.map(({ key }) => key);
    const { rows } = await database.query<Row>({
      name: `load_${target}_${entity}_${keyType}`.slice(0, 63),
      text: statement(target, entity, keyType),
      values: [keys, keys, some.map(({ unsure }) => unsure), target, entity, limits.entry, limits.batch],
    });
    return sortOut(some, rows, limits.entry);
  });
  const failed = failures.map(({ item, reason }) => ({ claimed: item, reason, fingerprint: null }));
  return {
    loaded: results.flatMap(({ loaded }) => loaded),
    unloadable: [...results.flatMap(({ unloadable }) => unloadable), ...failed],
    deferred: results.flatMap(({ deferred }) => deferred),
  };
}

function sortOut(claimed: readonly Claimed[], rows: readonly Row[], entryBytes: number): Read {
  const byKey = Map.groupBy(rows, ({ key }) => key);
  const loaded: Loaded[] = [];
  const unloadable: Unloadable[] = [];
  const deferred: Claimed[] = [];
  for (const delivery of claimed) {
    const rowsOf = byKey.get(delivery.key) ?? [];
    const [row, ...more] = rowsOf;
    if (!row) throw new Error(`the desired view did not answer for key ${delivery.key}`); // proves nothing: PROTOCOL C1
    const [fingerprint = null] = rowsOf.map((one) => one.fingerprint).sort();
    if (more.length > 0) {
      const reason = `the view has ${more.length + 1} rows with key ${delivery.key}; expected one`;
      unloadable.push({ claimed: delivery, reason, fingerprint });
    } else if (row.bytes > entryBytes) {
      unloadable.push({ claimed: delivery, reason: tooLarge(row, entryBytes), fingerprint });
    } else if (row.deferred) deferred.push(delivery);
    else loaded.push(toLoaded(delivery, row));
  }
  return { loaded, unloadable, deferred };
}

function tooLarge({ bytes, largest }: Row, entryBytes: number): string {
  const where = largest === null ? '' : `, most of them in "${largest}"`;
  return `its entry would have ${bytes} bytes${where}; expected at most ${entryBytes} (parameter ENTRY_BYTES)`;
}

function toLoaded(claimed: Claimed, row: Row): Loaded {
  const { released, remote_id, open, secrets, disable, match, fingerprint } = row;
  const attributes = attributesIn({ open, secrets });
  const desired = { released: released ?? false, remoteId: remote_id, attributes, disable, match, fingerprint };
  return {
    claimed,
    desired: row.present ? desired : undefined,
    link: row.link ?? undefined,
    wantedBy: row.wanted_by ?? undefined,
    meant: row.meant ?? undefined,
  };
}

/** The attributes of a desired view's row, of its texts of JSON; null where it has none. */
export function attributesIn({ open, secrets }: { open: string | null; secrets: string | null }): Attributes | null {
  if (open === null) return null;
  const attributes: Attributes = JSON.parse(open);
  return secrets === null ? attributes : { ...attributes, ...JSON.parse(secrets) };
}
