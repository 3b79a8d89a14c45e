/**
 * SQLite, as Node has it: the little that a flow needs of it. It is loaded only where a flow is opened, because older
 * versions of Node say on standard error that it is experimental.
 */
import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite';
import { TargetError } from '../target.ts';

export type Row = Readonly<Record<string, SQLOutputValue>>;

/** The result code of an error of SQLite (https://sqlite.org/rescode.html), without its extension; undefined for any other. */
export function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return undefined;
  return error.errcode & 0xff;
}

/** Somebody else is writing: it is tried again. */
export function isBusy(error: unknown): boolean {
  const code = resultCode(error);
  return code === 5 || code === 6;
}

export class Sqlite {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  /** Opens, and makes where there is none. Never waits for others: what is busy fails at once. */
  constructor(file: string, options: { readonly readOnly?: boolean } = {}) {
    const module = process.getBuiltinModule('node:sqlite');
    if (module === undefined)
      throw new TargetError('misconfigured', `Node ${process.version} has no SQLite, which a file target needs`);
    this.#database = new module.DatabaseSync(file, { ...options, timeout: 0 });
  }

  /** Runs statements that return nothing. */
  execute(sql: string): void {
    this.#database.exec(sql);
  }

  /** Changes rows; how many. */
  change(sql: string, ...values: readonly SQLInputValue[]): number {
    return Number(this.#prepared(sql).run(...values).changes);
  }

  row(sql: string, ...values: readonly SQLInputValue[]): Row | undefined {
    return this.#prepared(sql).get(...values);
  }

  rows(sql: string, ...values: readonly SQLInputValue[]): Row[] {
    return this.#prepared(sql).all(...values);
  }

  close(): void {
    this.#statements.clear();
    this.#database.close();
  }

  #prepared(sql: string): StatementSync {
    const known = this.#statements.get(sql) ?? this.#database.prepare(sql);
    this.#statements.set(sql, known);
    return known;
  }
}

export function textOf(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== 'string') throw new Error(`${column} is no text`);
  return value;
}

export function numberOf(row: Row, column: string): number {
  const value = row[column];
  if (typeof value !== 'number') throw new Error(`${column} is no number`);
  return value;
}

export function bytesOf(row: Row, column: string): Uint8Array {
  const value = row[column];
  if (!(value instanceof Uint8Array)) throw new Error(`${column} is no bytes`);
  return value;
}
