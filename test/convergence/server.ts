import { setTimeout } from 'node:timers/promises';
import pg from 'pg';
import { startPostgres } from '../../src/demo/postgres.ts';
import type { Restart } from './mishaps.ts';
import type { Ground } from './site.ts';

/** A PostgreSQL server whose histories may restart it; played one after the other. */
export interface Server {
  createGround(): Promise<Ground>;
  readonly restart: Restart;
  close(): Promise<void>;
}

export async function startServer(): Promise<Server> {
  // Commits are waited for: what is lost with an immediate stop is then only what Staffetta may lose.
  const server = await startPostgres({
    durable: false,
    settings: { synchronous_commit: 'on' },
  });
  let made = 0;
  return {
    createGround: async () => {
      const name = `history_${++made}`;
      const url = await server.createDatabase(name);
      const pool = new pg.Pool({ connectionString: url, max: 2 });
      pool.on('error', () => {});
      return {
        url,
        query: async <Row extends pg.QueryResultRow>(sql: string, values: readonly unknown[] = []) =>
          (await retried(() => pool.query<Row>(sql, [...values]))).rows,
        drop: async () => {
          await pool.end();
          const client = new pg.Client({ connectionString: server.url() });
          await client.connect();
          await client.query(`drop database ${client.escapeIdentifier(name)} with (force)`);
          await client.end();
        },
      };
    },
    restart: async (mode, away) => {
      await server.stop(mode);
      await setTimeout(away);
      await server.start();
    },
    close: server.close,
  };
}

/** What the run itself asks of the database is asked again where that is away for a while. */
async function retried<T>(ask: () => Promise<T>): Promise<T> {
  for (let patience = 100; ; patience--) {
    try {
      return await ask();
    } catch (error) {
      const away = !(error instanceof pg.DatabaseError) || /^(57P|08)/.test(error.code ?? '');
      if (!away || patience === 0) throw error;
      await setTimeout(100);
    }
  }
}
