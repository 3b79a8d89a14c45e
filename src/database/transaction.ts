import type pg from 'pg';

/** A statement with its values. */
export interface Statement extends pg.QueryConfig {
  /** Milliseconds to wait for it; default: as long as its connection waits for any. */
  readonly query_timeout?: number;
}

/** Anything that a statement can be sent through: a pool, a connection, a session behind a pooler. */
export interface Queryable {
  query<R extends pg.QueryResultRow>(statement: string | Statement, values?: unknown[]): Promise<pg.QueryResult<R>>;
}

/** Runs `work` in one transaction: committed if it returns, rolled back if it throws. */
export async function inTransaction<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken = false;
  try {
    await client.query('begin');
    const result = await work(client);
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch(() => {
      broken = true; // a connection that cannot roll back must not go back to the pool
    });
    throw error;
  } finally {
    client.release(broken);
  }
}
