import type pg from 'pg';
import { Client } from './client.ts';
import { connectionOptions } from './pool.ts';
import type { Queryable } from './transaction.ts';

/** How often somebody looks after a statement that is not answered, in milliseconds. */
const interval = 2_000;

/** How long that may take, in milliseconds. */
const patience = 10_000;

/**
 * A connection whose statements may take as long as they take. While one is not answered, it is asked over another
 * connection whether the server is at work on it; if not, or if nobody can be asked, the first one is closed: it leads
 * nowhere, without either side having been told.
 */
export async function attended(client: pg.Client, url: string): Promise<Queryable> {
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  const pid = rows[0]?.pid;
  return {
    query: async (statement, values) => {
      let answered = false;
      const timer = setInterval(async () => {
        if (!(await isAtWork(url, pid)) && !answered) client.connection.stream.destroy();
      }, interval);
      try {
        return await client.query(statement, values);
      } finally {
        answered = true;
        clearInterval(timer);
      }
    },
  };
}

async function isAtWork(url: string, pid: number | undefined): Promise<boolean> {
  const client: pg.Client = new Client({ ...connectionOptions(url, 'staffetta attendant'), query_timeout: patience });
  client.on('error', () => {});
  try {
    await client.connect();
    const { rows } = await client.query(`select from pg_stat_activity where pid = $1 and state = 'active'`, [pid]);
    return rows.length > 0;
  } catch {
    return false;
  } finally {
    await client.end();
  }
}
