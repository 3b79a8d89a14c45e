import pg from 'pg';
import { valueSettings } from '../database/pool.ts';

/**
 * Why PostgreSQL refuses a query, in its own words; undefined if it accepts it. The query is planned under the settings
 * of the daemon's sessions, not run. Must be called in a transaction; leaves nothing behind.
 */
export async function refusal(client: pg.ClientBase, query: string): Promise<string | undefined> {
  await client.query('savepoint staffetta_refusal');
  try {
    await client.query(`set local search_path = ${valueSettings.search_path}`);
    await client.query(`set local row_security = ${valueSettings.row_security}`);
    await client.query(`explain ${query}`);
    return undefined;
  } catch (error) {
    if (!(error instanceof pg.DatabaseError)) throw error;
    return error.hint === undefined ? error.message : `${error.message} (${error.hint})`;
  } finally {
    await client
      .query('rollback to savepoint staffetta_refusal')
      .then(() => client.query('release savepoint staffetta_refusal'));
  }
}
