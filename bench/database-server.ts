/** The PostgreSQL of a measurement, and databases in it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { type PostgresServer, startPostgres } from '../src/demo/postgres.ts';
import { processorTimeOf } from './process-usage.ts';
import type { Run } from './run.ts';
import { fillUniversity } from './university.ts';
import { withClient } from './with-client.ts';

/**
 * What is not PostgreSQL's default: memory and checkpoints as on any server that is meant for work, so that no round pays
 * for the pages of another. Every commit waits for the disk.
 */
const settings = {
  shared_buffers: '1GB',
  max_wal_size: '8GB',
  checkpoint_timeout: '30min',
} as const satisfies Record<string, string>;

export class DatabaseServer {
  readonly #server: PostgresServer;

  private constructor(server: PostgresServer) {
    this.#server = server;
  }

  /** Starts one that is gone when `stack` is disposed of, or when the run is to stop, whatever it is about. */
  static async start({ stop }: Run, stack: AsyncDisposableStack): Promise<DatabaseServer> {
    const server = await startPostgres({ settings });
    const close = () => server.close();
    stack.defer(close);
    stop.addEventListener('abort', close, { once: true });
    stack.defer(() => stop.removeEventListener('abort', close));
    return new DatabaseServer(server);
  }

  /** Creates an empty database; answers with its connection string, a superuser's. */
  create(name: string): Promise<string> {
    return this.#server.createDatabase(name);
  }

  /** The connection string of a database. */
  url(name: string): string {
    return this.#server.url(name);
  }

  /** Creates a database with a university of so many people; answers with its connection string. */
  async createUniversity(name: string, people: number): Promise<string> {
    const url = await this.create(name);
    await fillUniversity(url, people);
    return url;
  }

  /** Creates a database as a copy of another, to which nobody is connected. */
  async copy(name: string, template: string): Promise<string> {
    const { escapeIdentifier } = pg;
    await this.#administer(`create database ${escapeIdentifier(name)} template ${escapeIdentifier(template)}`);
    return this.#server.url(name);
  }

  /** Has everything written that waits to be, so that what follows does not pay for what came before. */
  checkpoint(): Promise<void> {
    return this.#administer('checkpoint');
  }

  /** Processor time that all its processes have taken, in milliseconds. */
  async processorTime(): Promise<number> {
    const [pid] = (await readFile(join(this.#server.dataFolder, 'postmaster.pid'), 'utf8')).split('\n');
    return processorTimeOf(Number(pid));
  }

  async #administer(statement: string): Promise<void> {
    await withClient(this.#server.url(), (client) => client.query(statement));
  }
}
