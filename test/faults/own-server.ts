import pg from 'pg';
import { type PostgresOptions, type PostgresServer, startPostgres } from '../../src/demo/postgres.ts';
import { createRegistry, type Registry } from '../setup/registry.ts';

/** A registry whose database is on a server of its own, which a test may do anything to. */
export interface OwnServer {
  readonly server: PostgresServer;
  readonly registry: Registry;
  close(): Promise<void>;
}

/** `folder`: where the server, and nothing else, keeps its files; default: the folder of temporary files. */
export async function createOwnServer({
  folder,
  ...options
}: PostgresOptions & { folder?: string } = {}): Promise<OwnServer> {
  const server = await within(folder, () => startPostgres({ durable: false, ...options }));
  const url = await server.createDatabase('registry');
  const pool = new pg.Pool({ connectionString: url, max: 2 });
  pool.on('error', () => {});
  const registry = await createRegistry({
    database: {
      url,
      query: async <Row extends pg.QueryResultRow>(sql: string, values: readonly unknown[] = []) =>
        (await pool.query<Row>(sql, [...values])).rows,
      createRole: () => Promise.reject(new Error('not needed here')),
      drop: () => pool.end(),
    },
  });
  return {
    server,
    registry,
    close: async () => {
      await registry.close();
      await server.close();
    },
  };
}

/** Runs `work` with another folder of temporary files. */
async function within<T>(folder: string | undefined, work: () => Promise<T>): Promise<T> {
  const { TMPDIR } = process.env;
  if (folder !== undefined) process.env.TMPDIR = folder;
  try {
    return await work();
  } finally {
    if (TMPDIR === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = TMPDIR;
  }
}
