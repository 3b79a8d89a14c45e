/** Which entries are those of which keys, for adoption: in temporary tables of one connection, like the survey's. */
import type { Queryable } from '../database/transaction.ts';

const tables = `
create temporary table staffetta_identity (key text collate "C" primary key, remote_id text, readable boolean not null, note text);
create temporary table staffetta_pair (
  key text collate "C", normalised text collate "C", remote_id text not null, stable_id text, link jsonb, primary key (key, normalised));
create temporary table staffetta_match (
  key text collate "C", normalised text collate "C", remote_id text not null, stable_id text, link jsonb, sure boolean not null);
create temporary table staffetta_adopted (key text collate "C" primary key)`;

const removal = `drop table if exists pg_temp.staffetta_identity, pg_temp.staffetta_pair, pg_temp.staffetta_match, pg_temp.staffetta_adopted`;

/** One entry and one key belong together only if neither has another. */
const matches = `
insert into pg_temp.staffetta_match
select key, normalised, remote_id, stable_id, link,
  count(*) over (partition by key) = 1 and count(*) over (partition by normalised) = 1
from pg_temp.staffetta_pair`;

const listing = `
select case when m.sure then 'matched' else 'ambiguous' end as verdict, m.key, m.remote_id as entry, i.remote_id as wanted, i.note
from pg_temp.staffetta_match m join pg_temp.staffetta_identity i using (key)
union all
select case when i.readable then 'unmatched identity' else 'unreadable' end, i.key, null, i.remote_id, i.note
from pg_temp.staffetta_identity i where not exists (select from pg_temp.staffetta_match m where m.key = i.key)
union all
select 'unmatched entry', null, e.remote_id, null, 'it stands in the place of ' || e.place_of
from pg_temp.staffetta_entry e where not exists (select from pg_temp.staffetta_match m where m.normalised = e.normalised)`;

/** What was found of a key, an entry, or both. */
export interface Finding {
  readonly verdict: 'matched' | 'ambiguous' | 'unmatched identity' | 'unmatched entry' | 'unreadable';
  readonly key: string | null;
  /** The remote id of the entry. */
  readonly entry: string | null;
  /** The remote id that the key should have. */
  readonly wanted: string | null;
  readonly note: string | null;
}

/** A key without a link that is in scope, or cannot be read. */
export interface Identity {
  readonly key: string;
  readonly remoteId: string | null;
  readonly readable: boolean;
  readonly note: string | null;
}

/** An entry that may be that of a key. */
export interface Pair {
  readonly key: string;
  readonly normalised: string;
  readonly remoteId: string;
  readonly stableId: string | null;
  /** What the link would say; null where nothing is to be written. */
  readonly link: object | null;
}

/** Findings of each kind that are shown. */
const samples = 5;

/** Findings that leave the database at once. */
const rowsAtOnce = 1000;

export class Pairing {
  readonly #session: Queryable;

  private constructor(session: Queryable) {
    this.#session = session;
  }

  static async open(session: Queryable): Promise<Pairing> {
    await session.query(removal);
    await session.query(tables);
    return new Pairing(session);
  }

  async close(): Promise<void> {
    await this.#session.query(removal);
  }

  async add(identities: readonly Identity[], pairs: readonly Pair[]): Promise<void> {
    await this.#session.query(
      `insert into pg_temp.staffetta_identity
       select key, "remoteId", readable, note from jsonb_to_recordset($1) as i(key text, "remoteId" text, readable boolean, note text)`,
      [JSON.stringify(identities)],
    );
    await this.#session.query(
      `insert into pg_temp.staffetta_pair
       select key, normalised, "remoteId", "stableId", link
       from jsonb_to_recordset($1) as p(key text, normalised text, "remoteId" text, "stableId" text, link jsonb) on conflict do nothing`,
      [JSON.stringify(pairs)],
    );
  }

  /** Judges once everything was added. */
  async judge(): Promise<void> {
    await this.#session.query(matches);
    await this.#session.query('create index on pg_temp.staffetta_match (key)');
    await this.#session.query('create index on pg_temp.staffetta_match (normalised)');
    await this.#session.query('analyze pg_temp.staffetta_match');
  }

  /** How many findings of each kind there are, and the first few of them. */
  async summary(): Promise<{ counts: Map<Finding['verdict'], number>; samples: Finding[] }> {
    const { rows } = await this.#session.query<Finding & { count: number }>(
      `select verdict, key, entry, wanted, note, count from (
         select f.*, dense_rank() over (partition by verdict order by key, case when key is null then entry end) as rank,
           count(*) over (partition by verdict)::float8 as count from (${listing}) f) r
       where rank <= ${samples} order by verdict, key, entry limit ${samples * 20}`,
    );
    return {
      counts: new Map(rows.map(({ verdict, count }) => [verdict, count])),
      samples: rows.map(({ count: _, ...finding }) => finding),
    };
  }

  /** Every finding. */
  async *findings(): AsyncGenerator<Finding, void, undefined> {
    await this.#session.query('begin');
    try {
      await this.#session.query(`declare staffetta_finding cursor for ${listing} order by 1, 2, 3`);
      for (;;) {
        const { rows } = await this.#session.query<Finding>(`fetch ${rowsAtOnce} from staffetta_finding`);
        if (rows.length === 0) return;
        yield* rows;
      }
    } finally {
      await this.#session.query('commit');
    }
  }

  /**
   * Writes the links of entries that were matched, reserves their remote ids and unique values, tells those who refer to them, and enqueues
   * replays that compare the live entries; answers with how many. Who got a link meanwhile, or whose entry's remote id
   * went to another key, is left out.
   */
  async write(target: string, entity: string): Promise<number> {
    await this.#session.query('begin');
    try {
      const { rowCount } = await this.#session.query(
        `with sure as materialized (
           select m.* from pg_temp.staffetta_match m where m.sure and not exists (
             select from staffetta.remote_id r where (r.target, r.normalised) = ($1, m.normalised) and (r.entity, r.key) <> ($2, m.key))),
         linked as (
           insert into staffetta.link (target, entity, key, remote_id, stable_id, attributes, fingerprint, disable, epoch)
           select $1, $2, s.key, s.link ->> 'remoteId', s.stable_id, s.link -> 'attributes', null, nullif(s.link -> 'disable', 'null'), t.epoch
           from sure s join staffetta.target t on t.target = $1 order by s.key
           on conflict do nothing returning key),
         reserved as (
           insert into staffetta.remote_id (target, normalised, entity, key)
           select $1, s.normalised, $2, s.key from sure s join linked using (key) order by s.normalised on conflict do nothing),
         told as (
           insert into staffetta.event (source, op, cols, actor)
           select '@link', 'U', array[$1, $2, l.key], staffetta.actor() from linked l
           where exists (select from staffetta.reference r where (r.target, r.ref_entity, r.ref_key) = ($1, $2, l.key)))
         insert into pg_temp.staffetta_adopted select key from linked`,
        [target, entity],
      );
      await this.#session.query(
        'select staffetta.reserve_linked($1, $2, array(select key from pg_temp.staffetta_adopted))',
        [target, entity],
      );
      const { rows } = await this.#session.query<{ statement: string }>(
        `select staffetta.enqueue_statement(format('select %L::text as target, %L::text as entity, a.key, 1::smallint as priority from pg_temp.staffetta_adopted a',
           $1::text, $2::text), true) as statement`,
        [target, entity],
      );
      const { rows: actors } = await this.#session.query<{ actor: string }>('select staffetta.actor()');
      await this.#session.query(rows[0]?.statement ?? '', ['adopt', actors[0]?.actor]);
      await this.#session.query(`select pg_notify('staffetta', ''), pg_notify('staffetta', 'due')`);
      await this.#session.query('commit');
      return rowCount ?? 0;
    } catch (error) {
      await this.#session.query('rollback').catch(() => {});
      throw error;
    }
  }
}
