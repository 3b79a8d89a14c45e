import pg from 'pg';
import type { Queryable } from '../database/transaction.ts';
import type { Log } from '../log.ts';

/** What a rescan of a route found. */
export interface Rescanned extends pg.QueryResultRow {
  readonly target: string;
  readonly entity: string;
  readonly compared: number;
  readonly enqueued: number;
  /** Why the route could not be compared; it still owes its rescan. */
  readonly error: string | null;
}

/** A target's entity. */
export interface Rescannable extends pg.QueryResultRow {
  readonly target: string;
  readonly entity: string;
}

/** What one of several sessions found: how many keys it compared, and which differ; null: too many to be told. */
interface Part {
  readonly compared: number;
  readonly keys: readonly string[] | null;
}

/**
 * Rescans a route, in SQL. Where it has many links, two sessions share the work, and usually find that nothing is to be
 * done. Nothing is lost between their transactions: whatever changes after they began is told by its event.
 */
export async function rescanRoute(database: Queryable, { target, entity }: Rescannable): Promise<Rescanned[]> {
  const parts = await begin(database, target, entity);
  return (
    (parts > 1 && (await rescanInParts(database, { target, entity }, parts))) ||
    rescanAtOnce(database, 'rescan_route', target, entity)
  );
}

/** Sees to what is under way, in a transaction of its own; in how many parts to go on. */
async function begin(database: Queryable, target: string, entity: string): Promise<number> {
  const { rows } = await database.query<{ parts: number }>('select staffetta.rescan_parts($1, $2) as parts', [
    target,
    entity,
  ]);
  return rows[0]?.parts ?? 1;
}

/** Undefined: `staffetta.rescan_route` has to do it, since a row cannot be computed or too many differ. */
export async function rescanInParts(
  database: Queryable,
  { target, entity }: Rescannable,
  parts: number,
): Promise<Rescanned[] | undefined> {
  try {
    const looks = Array.from({ length: parts }, (_, part) =>
      database.query<Part>('select compared::float8, keys from staffetta.rescan_part($1, $2, $3, $4)', [
        target,
        entity,
        part,
        parts,
      ]),
    );
    await Promise.allSettled(looks);
    const found = (await Promise.all(looks)).flatMap(({ rows }) => rows);
    const keys = found.flatMap((part) => part.keys ?? []);
    if (found.some((part) => part.keys === null)) return;
    const compared = found.reduce((sum, part) => sum + part.compared, 0);
    if (keys.length === 0) return [{ target, entity, compared, enqueued: 0, error: null }];
    const { rows } = await database.query<{ enqueued: number }>(
      'select staffetta.rescan_keys($1, $2, $3)::float8 as enqueued',
      [target, entity, keys],
    );
    return rows.map(({ enqueued }) => ({ target, entity, compared, enqueued, error: null }));
  } catch (error) {
    if (error instanceof pg.DatabaseError) return;
    throw error;
  }
}

async function rescanAtOnce(
  database: Queryable,
  how: 'rescan_route' | 'rescan_owed',
  target: string,
  entity: string,
): Promise<Rescanned[]> {
  const { rows } = await database.query<Rescanned>(
    `select target, entity, compared::float8, enqueued::float8, error from staffetta.${how}($1, $2)`,
    [target, entity],
  );
  return rows;
}

async function rescanIfOwed(database: Queryable, { target, entity }: Rescannable): Promise<Rescanned[]> {
  await begin(database, target, entity);
  return rescanAtOnce(database, 'rescan_owed', target, entity);
}

/** Does the rescans that are owed, unless another does them meanwhile, or all: each route by itself. */
export async function rescanOwed(database: Queryable, log: Log, all: boolean): Promise<Rescanned[]> {
  const { rows: routes } = await database.query<Rescannable>(
    `select r.target, r.entity from staffetta.route r join staffetta.target t using (target)
     where t.state <> 'retired' and (r.rescan > 0 or $1) order by 1, 2`,
    [all],
  );
  const done: Rescanned[] = [];
  for (const route of routes) {
    const rows = await (all ? rescanRoute(database, route) : rescanIfOwed(database, route));
    for (const { error, ...found } of rows) {
      if (error) log.error({ ...route, reason: error }, 'the desired state cannot be read at present');
      else log.info(found, 'rescanned');
    }
    done.push(...rows);
  }
  return done;
}
