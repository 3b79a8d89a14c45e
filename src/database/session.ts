import pg from 'pg';
import type { Config } from '../config/schema.ts';
import {
  connectionOptions,
  createFewPool,
  createPool,
  patience,
  sessionSettings,
  unlimitedTransactions,
  watched,
} from './pool.ts';
import { inTransaction, type Queryable, type Statement } from './transaction.ts';

/** The connections of the pumps. */
export interface Session {
  /** For statements about a batch. */
  readonly database: Queryable;
  /** For batches of no more than a `few` deliveries. */
  readonly few: Queryable;
  /** For the few that take long, since they are about everything there is. */
  readonly unhurried: Queryable;
  end(): Promise<void>;
}

/** So many deliveries are few. */
export const few = 10;

/**
 * Connections to `database.url`: at most `size` for statements about batches, and half as many for those about a few keys,
 * each opened when it is needed. Where `database.listen` is configured, `url` goes through a transaction
 * pooler (PROTOCOL B2).
 */
export function openSession({ url, listen }: Config['database'], name: string, size: number): Session {
  const pools: pg.Pool[] = [];
  const open = (most: number, longest: number): Queryable => {
    const { options: _, ...rest } = connectionOptions(url, name, longest);
    const pool = listen === undefined ? createPool(url, name, most, longest) : watched({ ...rest, max: most });
    pools.push(pool);
    return listen === undefined ? pool : new PooledSession(pool, longest);
  };
  const database = open(size, patience.batch);
  const openFew = (): Queryable => {
    const pool = createFewPool(url, name, Math.ceil(size / 2), patience.batch);
    pools.push(pool);
    return pool;
  };
  return {
    database,
    few: listen === undefined ? openFew() : database,
    unhurried: open(4, patience.everything),
    end: async () => void (await Promise.all(pools.map((pool) => pool.end()))),
  };
}

/**
 * Statements through a transaction pooler, where consecutive transactions may run on different connections: startup
 * parameters do not reach the server, so each statement runs in a transaction that pins the settings itself, and is not
 * prepared under a name.
 */
class PooledSession implements Queryable {
  readonly #pool: pg.Pool;
  /** Milliseconds that a statement may take. */
  readonly #longest: number;

  constructor(pool: pg.Pool, longest: number) {
    this.#pool = pool;
    this.#longest = longest;
  }

  query<R extends pg.QueryResultRow>(statement: string | Statement, values?: unknown[]): Promise<pg.QueryResult<R>> {
    const { name: _, ...unnamed } = typeof statement === 'string' ? { text: statement } : statement;
    return inTransaction(this.#pool, async (client) => {
      await client.query(`${pinLocally}; set local statement_timeout = ${this.#longest}`);
      return client.query<R>(unnamed, values);
    });
  }
}

/** Transaction isolation is set at once: its default comes too late for a transaction that has begun. */
const pinLocally = [
  'set transaction isolation level read committed',
  ...Object.entries(sessionSettings).map(
    ([name, value]) => `set local ${name} = ${name === 'search_path' ? value : pg.escapeLiteral(value)}`,
  ),
  unlimitedTransactions.replace('false', 'true'),
].join('; ');
