import pg from 'pg';
import { Client } from './client.ts';

/**
 * What a session must be set to for values to mean the same everywhere (PROTOCOL B2). With `row_security` off, a policy
 * that would hide rows raises an error instead, so that a hidden row is never taken for an absent one.
 */
export const valueSettings = {
  row_security: 'off',
  TimeZone: 'UTC',
  DateStyle: 'ISO, YMD',
  IntervalStyle: 'iso_8601',
  extra_float_digits: '1',
  bytea_output: 'hex',
  search_path: 'public,pg_temp',
  standard_conforming_strings: 'on',
} as const satisfies Record<string, string>;

/** What every session is set to, whatever a role or database was given for its applications. */
export const sessionSettings = {
  ...valueSettings,
  default_transaction_isolation: 'read committed',
  default_transaction_read_only: 'off',
  default_transaction_deferrable: 'off',
  statement_timeout: '0',
  lock_timeout: '0',
  idle_session_timeout: '0',
  idle_in_transaction_session_timeout: '60s', // what a process that is gone had locked
  plan_cache_mode: 'force_custom_plan', // a plan that was made for an empty queue is no plan for a full one
  synchronous_commit: 'on', // a claim and a reservation must survive a crash of the server (B1, B10)
} as const satisfies Record<string, string>;

/**
 * For statements about a few keys. Their plans are made once, since making one takes longer than running it, and again
 * whenever statistics are gathered (see `Statistics`). Statements through a transaction pooler are not prepared, and do
 * without.
 */
const fewSettings = { plan_cache_mode: 'force_generic_plan' } as const satisfies Record<string, string>;

/**
 * How long a daemon waits for a statement, in milliseconds: those about one batch, and those that may be about everything
 * there is. The server ends a statement that takes longer (`statement_timeout`); if it is silent for
 * some time after that, the connection leads nowhere, without either side having been told.
 */
export const patience = { batch: 25_000, everything: 3_600_000 } as const;

/** How much longer than the server we wait until we take its silence for absence, in milliseconds. */
export const grace = 5_000;

/**
 * What every connection of Staffetta is opened with. `name` is shown in `pg_stat_activity`. `patience`: milliseconds a
 * statement may take; default: for ever. In the connection string, `?connect_timeout=` gives the seconds that connecting
 * may take (default 10), and `?query_timeout=` the milliseconds that any answer is waited for. `more`: what else the
 * session is set to.
 */
export function connectionOptions(
  url: string,
  name: string,
  patience?: number,
  more: Readonly<Record<string, string>> = {},
): pg.ClientConfig {
  const { connectionString, options, connectTimeout } = divide(url);
  const settings = Object.entries({
    ...sessionSettings,
    ...(patience && { statement_timeout: String(patience) }),
    ...more,
  })
    .map(([setting, value]) => `-c ${setting}=${value.replaceAll(/([\\ ])/g, '\\$1')}`)
    .join(' ');
  return {
    connectionString,
    application_name: name,
    options: `${options} ${settings}`.trimStart(),
    // A host that has vanished is noticed after 20 seconds while an answer is waited for.
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    connectionTimeoutMillis: connectTimeout * 1000,
    ...(patience && { query_timeout: patience + grace }),
  };
}

/**
 * Takes out of a connection string what node-postgres would not do as we want: `?options=` would replace ours, where the
 * last setting of a name counts; `?connect_timeout=` would do nothing.
 */
function divide(url: string): { connectionString: string; options: string; connectTimeout: number } {
  const parsed = URL.parse(url);
  const take = (name: string) => {
    const value = parsed?.searchParams.get(name);
    if (value) parsed?.searchParams.delete(name);
    return value ?? undefined;
  };
  const { options = '', connectTimeout } = { options: take('options'), connectTimeout: take('connect_timeout') };
  const connectionString = (options || connectTimeout) && parsed ? parsed.href : url;
  return { connectionString, options, connectTimeout: Number(connectTimeout) || 10 };
}

/**
 * Ends the one limit that cannot be pinned when a session starts: versions of PostgreSQL before 17 do not know it, and
 * would refuse the session.
 */
export const unlimitedTransactions = `select set_config('transaction_timeout', '0', false) where current_setting('server_version_num')::int >= 170000`;

/** A pool of connections under the pinned settings. A lost idle connection is replaced when next needed. */
export function createPool(url: string, name: string, size = 4, patience?: number): pg.Pool {
  return watched({ ...connectionOptions(url, name, patience), max: size, onConnect });
}

/** Seconds after which a connection for statements about a few keys is replaced, so that no plan is older. */
const longestPlanned = 60;

/** A pool for statements about a few keys. */
export function createFewPool(url: string, name: string, size: number, patience?: number): pg.Pool {
  return watched({
    ...connectionOptions(url, name, patience, fewSettings),
    max: size,
    onConnect,
    maxLifetimeSeconds: longestPlanned,
    idleTimeoutMillis: longestPlanned * 1000,
  });
}

async function onConnect(client: pg.ClientBase): Promise<void> {
  await client.query(unlimitedTransactions);
}

/**
 * A pool in which a lost connection, idle or in use, fails its query and is replaced when one is needed. Where one was
 * lost, the idle ones may lead nowhere either, which each would take its time to find out: they are thrown away.
 */
export function watched(options: pg.PoolConfig): pg.Pool {
  const pool = new pg.Pool({ ...options, Client });
  let discarding = false;
  const discardIdle = async () => {
    if (discarding) return;
    discarding = true;
    const idle = Array.from({ length: pool.idleCount }, () => pool.connect());
    for (const taken of await Promise.allSettled(idle)) if (taken.status === 'fulfilled') taken.value.release(true);
    discarding = false;
  };
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', discardIdle));
  pool.on('release', (error: unknown) => error && !(error instanceof pg.DatabaseError) && discardIdle());
  return pool;
}
