import type pg from 'pg';
import { sqlstate } from '../database/sqlstate.ts';
import type { Queryable } from '../database/transaction.ts';
import { UserError } from './user-error.ts';

/** What `staffetta.*` functions raise for a mistake of the person who asks: an unknown name, a key that is none. */
const mistake = 'ST001';

/** Rows of a statement; a mistake that a function of `sql/` finds in what it was given is a UserError. */
export async function ask<Row extends pg.QueryResultRow>(
  database: Queryable,
  sql: string,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  try {
    return (await database.query<Row>(sql, [...values])).rows;
  } catch (error) {
    if (error instanceof Error && sqlstate(error) === mistake) throw new UserError(error.message, 2);
    throw error;
  }
}

/** How many deliveries of a target (of one of its entities) were touched, and how: `staffetta.touched`. */
interface Touched extends pg.QueryResultRow {
  readonly target: string | null;
  readonly entity: string | null;
  readonly deliveries: number | null;
  readonly note: string;
}

/** Rows of a function that answers with `staffetta.touched`; `call` is, for example, `pause($1, $2)`. */
export function askTouched(database: Queryable, call: string, values: readonly unknown[] = []): Promise<Touched[]> {
  return ask<Touched>(database, `select target, entity, deliveries::float8, note from staffetta.${call}`, values);
}
