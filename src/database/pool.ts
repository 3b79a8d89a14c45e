import pg from 'pg';

/**
 * What a session must be set to for values to mean the same everywhere (PROTOCOL B2): with `row_security` off, a policy
 * that would hide rows raises an error instead, so that a hidden row is never taken for an absent one.
 */
export const sessionSettings = {
  default_transaction_isolation: 'read committed',
  row_security: 'off',
  TimeZone: 'UTC',
  DateStyle: 'ISO, YMD',
  IntervalStyle: 'iso_8601',
  extra_float_digits: '1',
  bytea_output: 'hex',
  search_path: 'public,pg_temp',
  standard_conforming_strings: 'on',
  synchronous_commit: 'on', // a claim and a reservation must survive a crash of the server (B1, B10)
} as const satisfies Record<string, string>;

const asOptions = Object.entries(sessionSettings)
  .map(([name, value]) => `-c ${name}=${value.replaceAll(/([\\ ])/g, '\\$1')}`)
  .join(' ');

/** What every connection of Staffetta is opened with. `name` is shown in `pg_stat_activity`. */
export function connectionOptions(url: string, name: string): pg.ClientConfig {
  const { connectionString, options } = withoutOptions(url);
  return {
    connectionString,
    application_name: name,
    options: `${options} ${asOptions}`.trimStart(),
    keepAlive: true,
    connectionTimeoutMillis: 10_000,
  };
}

/** Takes `?options=` out of a connection string, where it would replace ours: the last setting of a name counts. */
function withoutOptions(url: string): { connectionString: string; options: string } {
  const parsed = URL.parse(url);
  const options = parsed?.searchParams.get('options');
  if (!parsed || !options) return { connectionString: url, options: '' };
  parsed.searchParams.delete('options');
  return { connectionString: parsed.href, options };
}

/** A pool of connections under the pinned settings. A lost idle connection is replaced when next needed. */
export function createPool(url: string, name: string, size = 4): pg.Pool {
  return watched(new pg.Pool({ ...connectionOptions(url, name), max: size }));
}

/** A connection was lost, idle or in use: its query fails, or the next one opens another and reports if it cannot. */
export function watched(pool: pg.Pool): pg.Pool {
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  return pool;
}
