import type pg from 'pg';
import type { LoadedConfig } from '../config/load.ts';
import type { Queryable } from '../database/transaction.ts';
import type { Destination, Route } from '../deliver/route.ts';
import { closeDestinations, openDestinations } from '../destinations.ts';
import { ask } from './ask.ts';
import { UserError } from './user-error.ts';

/** A route with the target it leads to, and how many links it has. */
export interface Chosen {
  readonly destination: Destination;
  readonly route: Route;
  readonly links: number;
}

/**
 * Does something with the routes that a target and an entity (undefined: any) name, over one connection. Throws UserError
 * for unknown names, and where another configuration was applied than this one.
 */
export async function withRoutes<T>(
  pool: pg.Pool,
  loaded: LoadedConfig,
  target: string | undefined,
  entity: string | undefined,
  work: (session: Queryable, routes: readonly Chosen[]) => Promise<T>,
): Promise<T> {
  const rows = await ask<{ target: string; entity: string; links: number; ours: boolean }>(
    pool,
    `select r.target, r.entity, i.revision is not distinct from $3 as ours,
       (select count(*) from staffetta.link l where (l.target, l.entity) = (r.target, r.entity))::float8 as links
     from staffetta.routes($1, $2) r cross join staffetta.installation i order by 1, 2`,
    [target ?? null, entity ?? null, loaded.revision],
  );
  if (rows.some(({ ours }) => !ours))
    throw new UserError(
      `${loaded.file} is not the configuration that was applied last; run \`staffetta apply\` first.`,
      2,
    );
  const destinations = await openDestinations(pool, loaded);
  const session = await pool.connect();
  try {
    const chosen = rows.flatMap(({ target, entity, links }) => {
      const destination = destinations.get(target);
      const route = destination?.routes.get(entity);
      return destination && route ? [{ destination, route, links }] : [];
    });
    return await work(session, chosen);
  } finally {
    session.release(true); // with it end its temporary tables and locks
    await closeDestinations(destinations.values());
  }
}
