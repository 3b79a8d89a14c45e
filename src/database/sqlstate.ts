import pg from 'pg';

/** The SQLSTATE of an error that PostgreSQL reported; undefined for any other error. */
export function sqlstate(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined;
}

/** Something is wrong with a value: classes 22, 23 and 54, and more than one row where one was expected. */
export function isDataError(error: unknown): boolean {
  return /^(22|23|54|21000)/.test(sqlstate(error) ?? '');
}

/** A table, view, column or function is missing, or may not be read: classes 42 and 3F. */
export function isSchemaError(error: unknown): boolean {
  return /^(42|3F)/.test(sqlstate(error) ?? '');
}

/** A lock was not to be had in time (`lock_timeout`), or two transactions waited for each other. */
export function isLockError(error: unknown): boolean {
  return /^(55P03|40P01)$/.test(sqlstate(error) ?? '');
}

/**
 * Not the fault of the statement, and may be over when it is tried again: no answer from the server at all, or a lost
 * connection, a deadlock, a lock, a lack of resources, a shutdown (classes 08, 25, 40, 53, 55, 57 and 58).
 */
export function isPassing(error: unknown): boolean {
  const state = sqlstate(error);
  return state === undefined || /^(08|25|40|53|55|57|58)/.test(state);
}
