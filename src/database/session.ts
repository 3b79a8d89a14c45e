import pg from 'pg';
import type { Config } from '../config/schema.ts';
import { connectionOptions, createPool, sessionSettings, watched } from './pool.ts';
import { inTransaction, type Queryable } from './transaction.ts';

/** The connections of the pumps. */
export interface Session {
  readonly database: Queryable;
  end(): Promise<void>;
}

/**
 * Connections to `database.url`, at most `size`. Where `database.listen` is configured, `url` goes through a transaction
 * pooler (PROTOCOL B2).
 */
export function openSession({ url, listen }: Config['database'], name: string, size: number): Session {
  if (listen === undefined) {
    const pool = createPool(url, name, size);
    return { database: pool, end: () => pool.end() };
  }
  const { options: _, ...rest } = connectionOptions(url, name);
  const pool = watched(new pg.Pool({ ...rest, max: size }));
  return { database: new PooledSession(pool), end: () => pool.end() };
}

/**
 * Statements through a transaction pooler, where consecutive transactions may run on different connections: startup
 * parameters do not reach the server, so each statement runs in a transaction that pins the settings itself, and is not
 * prepared under a name.
 */
class PooledSession implements Queryable {
  readonly #pool: pg.Pool;

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  query<R extends pg.QueryResultRow>(
    statement: string | pg.QueryConfig,
    values?: unknown[],
  ): Promise<pg.QueryResult<R>> {
    const config =
      typeof statement === 'string' ? { text: statement } : { text: statement.text, values: statement.values };
    const bound = values ?? config.values;
    return inTransaction(this.#pool, async (client) => {
      await client.query(pinLocally);
      return client.query<R>(config.text, bound);
    });
  }
}

/** Transaction isolation is set at once: its default comes too late for a transaction that has begun. */
const pinLocally = [
  'set transaction isolation level read committed',
  ...Object.entries(sessionSettings).map(
    ([name, value]) => `set local ${name} = ${name === 'search_path' ? value : pg.escapeLiteral(value)}`,
  ),
].join('; ');
