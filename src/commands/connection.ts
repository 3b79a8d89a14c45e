import { userInfo } from 'node:os';
import type pg from 'pg';
import { createPool } from '../database/pool.ts';
import { UserError } from './user-error.ts';

/**
 * A pool for a command, its first connection made, so that a database that cannot be reached is one clear UserError.
 * Whatever is done over it counts as done by the user of the operating system, with sudo the one who called it
 * (`staffetta.actor`).
 */
export async function connect(url: string): Promise<pg.Pool> {
  let pool: pg.Pool | undefined;
  try {
    pool = createPool(url, 'staffetta');
    const { onConnect } = pool.options;
    pool.options.onConnect = async (client) => {
      await onConnect?.(client);
      await client.query(`select set_config('staffetta.actor', $1, false)`, [userName()]);
    };
    (await pool.connect()).release();
    return pool;
  } catch (error) {
    await pool?.end();
    throw new UserError(`Cannot connect to PostgreSQL at ${place(url)}: ${reason(error)}.`);
  }
}

function userName(): string {
  try {
    return process.env.SUDO_USER || userInfo().username;
  } catch {
    return String(process.getuid?.() ?? '');
  }
}

function place(url: string): string {
  const { hostname, port, pathname, username } = URL.parse(url) ?? {};
  if (hostname === undefined) return 'the address in database.url (it cannot be read)';
  const as = username ? ` as ${decode(username)}` : '';
  return `${decode(hostname) || 'localhost'}:${port || '5432'}, database ${decode(pathname?.slice(1) ?? '') || 'of the same name'}${as}`;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing answers there',
  ENOTFOUND: 'there is no such host',
  EAI_AGAIN: 'the name of the host cannot be looked up at present',
  ETIMEDOUT: 'it does not answer in time',
  EHOSTUNREACH: 'there is no way to that host',
  '28P01': 'the user or the password is wrong',
  '3D000': 'there is no such database',
  '53300': 'it has no connection to spare',
  '57P03': 'it is starting up or shutting down',
};

function reason(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reason(error.errors[0]);
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return reasons[code] ?? (error instanceof Error ? error.message : String(error));
}
