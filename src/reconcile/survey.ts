/**
 * What a target holds for an entity, sorted by whose it is. Whoever is many – keys that were seen, entries that nobody
 * accounts for – stands in temporary tables of one connection, so that a million take no more memory here than one; and
 * if that connection is lost in the middle, so are they, and the survey fails instead of missing what they knew.
 */
import pg from 'pg';
import type { Queryable } from '../database/transaction.ts';
import type { Route } from '../deliver/route.ts';
import { type RemoteState, type Target, TargetError } from '../targets/target.ts';

const { escapeIdentifier } = pg;

const tables = `
create temporary table staffetta_seen (key text collate "C" not null);
create temporary table staffetta_entry (
  normalised text collate "C" primary key, remote_id text not null, stable_id text, created_by_us boolean, place_of text);
create temporary table staffetta_wanted (key text collate "C" primary key, linked boolean not null)`;

const removal = 'drop table if exists pg_temp.staffetta_seen, pg_temp.staffetta_entry, pg_temp.staffetta_wanted';

/**
 * The link that tells of an entry: by its stable id, else by its place, unless both have a stable id, which then differ.
 * `placeOf`: who has the right to its place, looked up only where no link has its stable id. Each entry is looked up by
 * itself, however few there are on the target.
 */
const owners = `
select coalesce(s.entity, b.entity) as entity, coalesce(s.key, b.key) as key, r.entity || ' ' || r.key as "placeOf", p.number
from unnest($2::text[], $3::text[]) with ordinality as p(normalised, stable_id, number)
left join lateral (
  select l.entity, l.key from staffetta.link l where l.target = $1 and l.stable_id = p.stable_id limit 1) s on true
left join lateral (
  select i.entity, i.key from staffetta.remote_id i
  where s.key is null and i.target = $1 and i.normalised = p.normalised collate "C" offset 0) r on true
left join lateral (
  select l.entity, l.key from staffetta.link l
  where (l.target, l.entity, l.key) = ($1, r.entity, r.key) and (l.stable_id is null or p.stable_id is null) offset 0) b on true`;

/** The same, noting of which keys of the entity ($4) there is one. */
const noted = `
with owner as materialized (${owners}),
seen as (insert into pg_temp.staffetta_seen select key from owner where entity = $4)
select * from owner order by number`;

/** Whose an entry is; nulls: no link tells of it. */
interface Owner {
  readonly entity: string | null;
  readonly key: string | null;
  readonly placeOf: string | null;
}

/** An entry that is there, without its attributes. */
export interface Place {
  readonly remoteId: string;
  readonly stableId: string | null;
  readonly createdByUs: boolean | null;
}

/** A key of the desired state. */
export interface Wanted {
  readonly key: string;
  readonly linked: boolean;
}

/** Keys that are looked at together. */
const keysAtOnce = 500;

export class Survey {
  readonly #session: Queryable;
  readonly #target: Target;
  readonly #route: Route;

  private constructor(session: Queryable, target: Target, route: Route) {
    this.#session = session;
    this.#target = target;
    this.#route = route;
  }

  /** `session`: one connection, not a pool; one survey at a time. */
  static async open(session: Queryable, target: Target, route: Route): Promise<Survey> {
    await session.query(removal);
    await session.query(tables);
    return new Survey(session, target, route);
  }

  async close(): Promise<void> {
    await this.#session.query(removal);
  }

  /** Sorts entries by owner; those of this entity's keys are returned, by key. */
  async account(entries: readonly RemoteState[]): Promise<Map<string, RemoteState>> {
    const own = new Map<string, RemoteState>();
    const nobodys: object[] = [];
    for (const [index, { entity, key, placeOf }] of (await this.#ask(entries, noted, this.#route.entity)).entries()) {
      const entry = entries[index];
      if (!entry) continue;
      if (key === null) {
        const { remoteId: remote_id, stableId: stable_id, createdByUs: created_by_us } = entry;
        nobodys.push({ normalised: this.normalise(remote_id), remote_id, stable_id, created_by_us, place_of: placeOf });
      } else if (entity === this.#route.entity) own.set(key, entry);
    }
    if (nobodys.length === 0) return own;
    await this.#session.query(
      'insert into pg_temp.staffetta_entry select * from jsonb_populate_recordset(null::pg_temp.staffetta_entry, $1) on conflict do nothing',
      [JSON.stringify(nobodys)],
    );
    return own;
  }

  /** Whose these entries are, in their order. */
  ownersOf(entries: readonly RemoteState[]): Promise<Owner[]> {
    return this.#ask(entries, `${owners} order by number`);
  }

  async #ask(entries: readonly RemoteState[], statement: string, ...more: readonly string[]): Promise<Owner[]> {
    if (entries.length === 0) return [];
    const normalised = entries.map(({ remoteId }) => this.normalise(remoteId));
    const stable = entries.map(({ stableId }) => stableId ?? null);
    const { rows } = await this.#session.query<Owner>(statement, [this.#route.target, normalised, stable, ...more]);
    return rows;
  }

  /** How many entries there are that nobody accounts for. */
  async countEntries(): Promise<number> {
    const { rows } = await this.#session.query<{ count: number }>(
      'select count(*)::float8 as count from pg_temp.staffetta_entry',
    );
    return rows[0]?.count ?? 0;
  }

  /** These entries, which nobody accounted for, have an owner after all. */
  async give(normalised: readonly string[]): Promise<void> {
    await this.#session.query('delete from pg_temp.staffetta_entry where normalised = any($1)', [normalised]);
  }

  /** Keys that the view has and of which no entry was seen, in pages. Only the view's keys are read here, nothing else. */
  async *unseen(): AsyncGenerator<readonly Wanted[], void, undefined> {
    const { target, entity } = this.#route;
    const { rows: types } = await this.#session.query<{ canonical: string }>(
      `select format(canonical, 'd.key') as canonical from staffetta.key_type($1, $2)`,
      [target, entity],
    );
    const [type] = types;
    if (!type) throw new Error(`the type of the keys of ${entity} on ${target} is not known`);
    await this.#session.query(
      `insert into pg_temp.staffetta_wanted
       select w.key, exists (select from staffetta.link l where (l.target, l.entity, l.key) = ($1, $2, w.key))
       from (select distinct ${type.canonical} collate "C" as key from staffetta.${escapeIdentifier(`desired_${target}_${entity}`)} d) w
       where not exists (select from pg_temp.staffetta_seen s where s.key = w.key)`,
      [target, entity],
    );
    await this.#session.query('analyze pg_temp.staffetta_entry');
    for (let last: string | null = null; ; ) {
      const { rows }: pg.QueryResult<Wanted> = await this.#session.query<Wanted>(
        'select key, linked from pg_temp.staffetta_wanted where $1::text is null or key > $1 collate "C" order by key limit $2',
        [last, keysAtOnce],
      );
      if (rows.length === 0) return;
      yield rows;
      last = rows.at(-1)?.key ?? null;
    }
  }

  /** Those of these normalised remote ids under which an entry stands that nobody accounts for. */
  async entriesAt(normalised: readonly string[]): Promise<Map<string, Place>> {
    const { rows } = await this.#session.query<Place & { normalised: string }>(
      `select normalised, remote_id as "remoteId", stable_id as "stableId", created_by_us as "createdByUs" from pg_temp.staffetta_entry where normalised = any($1)`,
      [normalised],
    );
    return new Map(rows.map(({ normalised, ...place }) => [normalised, place]));
  }

  /** The text under which a remote id is unique; a name that is none stands for itself. */
  normalise(remoteId: string): string {
    try {
      return this.#target.normalise(remoteId);
    } catch (error) {
      if (error instanceof TargetError) return remoteId;
      throw error;
    }
  }
}
