import pg from 'pg';
import { isPassing, isSchemaError } from '../database/sqlstate.ts';
import type { Queryable } from '../database/transaction.ts';
import type { Attributes, Value } from '../targets/target.ts';
import type { Claimed } from './claim.ts';
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
}

/** A key with everything that planning needs to know of it. */
export interface Loaded {
  readonly claimed: Claimed;
  /** Undefined: a successful read of the view, in this very replay, had no row (PROTOCOL C1). */
  readonly desired: Desired | undefined;
  readonly link: Link | undefined;
  /** Who waits for the remote id of this key and has no entry yet, so that this one may become theirs (PROTOCOL C4). */
  readonly wantedBy: { readonly entity: string; readonly key: string } | undefined;
}

/** A key that cannot be loaded, with PostgreSQL's or our own sentence. */
export interface Unloadable {
  readonly claimed: Claimed;
  readonly reason: string;
  /** Of its desired state, where that could be read. */
  readonly fingerprint: string | null;
}

interface Row {
  key: string;
  present: boolean;
  released: boolean | null;
  remote_id: string | null;
  attributes: Attributes | null;
  disable: Disable | null;
  match: Readonly<Record<string, Value>> | null;
  fingerprint: string | null;
  link: Link | null;
  wanted_by: { entity: string; key: string } | null;
}

/**
 * One query for a whole batch: each key looked up by itself, so that the indexes under the administrator's view are
 * used (PROTOCOL B3), whatever the sizes of the tables were when the plan was made. It is a statement of its own, after the claim is committed, so that it sees everything that the
 * claimed `rev` counts (B1).
 */
function statement(target: string, entity: string, keyType: string): string {
  const view = `staffetta.${escapeIdentifier(`desired_${target}_${entity}`)}`;
  return `
select k.text as key, d.key is not null as present, d.released, d.remote_id, d.disable, d.match, d.fingerprint,
  case when k.unsure or d.fingerprint is distinct from l.fingerprint then d.attributes end as attributes,
  case when l.key is not null then jsonb_build_object('remoteId', l.remote_id, 'stableId', l.stable_id, 'state', l.state,
    'attributes', l.attributes, 'fingerprint', l.fingerprint, 'disable', l.disable) end as link,
  (select jsonb_build_object('entity', w.entity, 'key', w.key) from staffetta.delivery w
   where w.target = $4 and w.wait_entity = $5 and w.wait_key = k.text
     and not exists (select from staffetta.link o where (o.target, o.entity, o.key) = ($4, w.entity, w.key))
   order by w.entity, w.key limit 1) as wanted_by
from unnest($1::${keyType}[], $2::text[], $3::boolean[]) as k(key, text, unsure)
left join lateral (select * from ${view} x where x.key = k.key offset 0) d on true
left join lateral (select * from staffetta.link o where (o.target, o.entity, o.key) = ($4, $5, k.text collate "C") offset 0) l on true`;
}

/**
 * Reads desired state and link of claimed keys of one entity. A row that cannot be read, whatever PostgreSQL or a
 * function of the administrator's says of it, halves the batch down to the one key (PROTOCOL B12). A missing view or
 * column, and what may be over when it is tried again, is thrown, and then nothing is known of any key.
 */
export async function load(
  database: Queryable,
  target: string,
  entity: string,
  keyType: string,
  claimed: readonly Claimed[],
): Promise<{ loaded: Loaded[]; unloadable: Unloadable[] }> {
  const keys = claimed.map(({ key }) => key);
  try {
    const { rows } = await database.query<Row>({
      name: `load_${target}_${entity}_${keyType}`.slice(0, 63),
      text: statement(target, entity, keyType),
      values: [keys, keys, claimed.map(({ unsure }) => unsure), target, entity],
    });
    return sortOut(claimed, rows);
  } catch (error) {
    if (isSchemaError(error) || isPassing(error) || !(error instanceof Error)) throw error;
    const [only] = claimed;
    if (claimed.length === 1 && only)
      return { loaded: [], unloadable: [{ claimed: only, reason: error.message, fingerprint: null }] };
    const middle = Math.ceil(claimed.length / 2);
    const halves = [claimed.slice(0, middle), claimed.slice(middle)];
    const results = [];
    for (const half of halves) results.push(await load(database, target, entity, keyType, half));
    return {
      loaded: results.flatMap(({ loaded }) => loaded),
      unloadable: results.flatMap(({ unloadable }) => unloadable),
    };
  }
}

function sortOut(claimed: readonly Claimed[], rows: readonly Row[]): { loaded: Loaded[]; unloadable: Unloadable[] } {
  const byKey = Map.groupBy(rows, ({ key }) => key);
  const loaded: Loaded[] = [];
  const unloadable: Unloadable[] = [];
  for (const delivery of claimed) {
    const rowsOf = byKey.get(delivery.key) ?? [];
    const [row, ...more] = rowsOf;
    if (!row) throw new Error(`the desired view did not answer for key ${delivery.key}`); // proves nothing: PROTOCOL C1
    if (more.length > 0) {
      const reason = `the view has ${more.length + 1} rows with key ${delivery.key}; expected one`;
      const [fingerprint = null] = rowsOf.map((one) => one.fingerprint).sort();
      unloadable.push({ claimed: delivery, reason, fingerprint });
    } else {
      const { released, remote_id, attributes, disable, match, fingerprint } = row;
      const desired = { released: released ?? false, remoteId: remote_id, attributes, disable, match, fingerprint };
      loaded.push({
        claimed: delivery,
        desired: row.present ? desired : undefined,
        link: row.link ?? undefined,
        wantedBy: row.wanted_by ?? undefined,
      });
    }
  }
  return { loaded, unloadable };
}
