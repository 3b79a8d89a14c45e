/**
 * What a flow knows of itself, in `.staffetta/flow.sqlite` beside its files: the entries as they were told, the records
 * that wait for a file, and the files made. Whoever has the folder has all of it; several daemons of one machine may
 * share it, each transaction being durable when it ends.
 *
 * The tables:
 *   meta    what the flow is: its identity (PROTOCOL C5), its format, how snapshots were last written
 *   entry   an entry as it was told
 *   lookup  values by which entries are found (`match:`)
 *   series  files that are numbered together, and their records: of one entity, or of all where the name says nothing of it
 *   layout  what files of records begin with and are called, as it was when these were recorded
 *   record  what waits for a file, ready to be written
 *   file    the files made, and how far each is
 */
import { randomUUID } from 'node:crypto';
import { closeSync, mkdirSync, openSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { TargetError } from '../target.ts';
import { Sqlite, textOf } from './sqlite.ts';

/** The folder in the folder that holds what others are not to see, half files among it. */
export const hidden = '.staffetta';

const tables = `
  create table if not exists meta (name text primary key, value text not null) strict, without rowid;
  create table if not exists entry (
    number integer primary key autoincrement, id text not null unique, entity text not null, remote_id text not null,
    stable_id text not null unique, parent text, depth integer not null, attributes text not null) strict;
  create index if not exists entry_of_entity on entry (entity, depth, number);
  create index if not exists entry_below on entry (parent) where parent is not null;
  create table if not exists lookup (
    entity text not null, attribute text not null, key text not null, entry integer not null references entry on delete cascade,
    primary key (entity, attribute, key, entry)) strict, without rowid;
  create index if not exists lookup_of_entry on lookup (entry);
  create table if not exists series (
    name text primary key, records integer not null default 0, covered integer not null default 0,
    files integer not null default 0, since integer) strict, without rowid;
  create table if not exists layout (id integer primary key, head blob not null, name text not null, unique (head, name)) strict;
  create table if not exists record (
    series text not null, sequence integer not null, at integer not null, layout integer not null references layout,
    body blob not null, primary key (series, sequence)) strict;
  create table if not exists file (
    series text not null, number integer not null, name text not null, at integer not null,
    stage text not null check (stage in ('begun', 'written', 'published', 'done')),
    first integer not null, last integer not null, layout integer, primary key (series, number)) strict, without rowid;`;

export class Store {
  readonly sqlite: Sqlite;
  /** Which flow this is. */
  readonly identity: string;
  readonly #path: string;
  readonly #inode: number;

  /**
   * Opens the flow in a folder, which must be there, and makes what is missing. Throws `misconfigured` for a flow of another
   * format; SQLite's own errors where somebody else is at it.
   */
  constructor(folder: string, format: string) {
    requireFolder(folder);
    mkdirSync(join(folder, hidden), { mode: 0o700, recursive: true });
    this.#path = join(folder, hidden, 'flow.sqlite');
    closeSync(openSync(this.#path, 'a', 0o600)); // SQLite gives the files beside it the same permissions
    this.#inode = statSync(this.#path).ino;
    this.sqlite = new Sqlite(this.#path);
    try {
      this.identity = this.#prepare(folder, format);
    } catch (error) {
      this.sqlite.close();
      throw error;
    }
  }

  #prepare(folder: string, format: string): string {
    this.sqlite.execute('pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on');
    if (this.meta('identity') === undefined) {
      this.sqlite.execute('begin immediate');
      try {
        this.sqlite.execute(tables);
        const note = 'insert into meta (name, value) values (?, ?) on conflict do nothing';
        this.sqlite.change(note, 'identity', randomUUID());
        this.sqlite.change(note, 'format', format);
        this.sqlite.execute('commit');
      } catch (error) {
        this.sqlite.execute('rollback');
        throw error;
      }
    }
    const own = this.meta('format');
    if (own !== format) {
      const message = `${folder} holds a flow of format ${own}, not ${format}: give this one a folder of its own`;
      throw new TargetError('misconfigured', message);
    }
    return this.meta('identity') ?? '';
  }

  /** Whether what stands at its place is still what was opened: not a folder that was put there since. */
  isCurrent(): boolean {
    return statSync(this.#path, { throwIfNoEntry: false })?.ino === this.#inode;
  }

  meta(name: string): string | undefined {
    const known = this.sqlite.row("select 1 from sqlite_schema where name = 'meta'");
    const row = known && this.sqlite.row('select value from meta where name = ?', name);
    return row && textOf(row, 'value');
  }

  remember(name: string, value: string): void {
    this.sqlite.change(
      'insert into meta (name, value) values (?, ?) on conflict (name) do update set value = excluded.value',
      name,
      value,
    );
  }

  /** Another connection, which sees what is there at the moment that it first reads, whatever is written meanwhile. */
  reader(): Sqlite {
    return new Sqlite(this.#path, { readOnly: true });
  }

  close(): void {
    this.sqlite.close();
  }
}

function requireFolder(folder: string): void {
  const found = statSync(folder, { throwIfNoEntry: false });
  if (found?.isDirectory()) return;
  const reason = found === undefined ? 'there is none: make it' : 'that is no folder';
  throw new TargetError('misconfigured', `the folder of the flow, ${folder}: ${reason}`);
}
