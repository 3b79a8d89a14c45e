import pg from 'pg';

/** Where a connection string leads, as host:port: what tells a copy of the database from the original (PROTOCOL C6). */
export function hostOf(url: string): string {
  const { host, port } = new pg.Client({ connectionString: url });
  return `${host.toLowerCase()}:${port}`;
}
