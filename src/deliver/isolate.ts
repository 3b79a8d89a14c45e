import { errorText } from '../database/error-text.ts';
import { isPassing, isSchemaError } from '../database/sqlstate.ts';

/** An item that a query cannot be run for, with PostgreSQL's sentence, or that of a function of the administrator's. */
export interface Failure<T> {
  readonly item: T;
  readonly reason: string;
}

/**
 * Runs a query for items together; if that fails, for one half and the other, down to the one item that is at fault
 * (PROTOCOL B12). A missing view or column, and what may be over when it is tried again, is thrown: then nothing is
 * known of any item.
 */
export async function isolate<T, R>(
  items: readonly T[],
  query: (items: readonly T[]) => Promise<R>,
): Promise<{ results: R[]; failures: Failure<T>[] }> {
  try {
    return { results: [await query(items)], failures: [] };
  } catch (error) {
    const [only] = items;
    if (isSchemaError(error) || isPassing(error) || only === undefined) throw error;
    if (items.length === 1) return { results: [], failures: [{ item: only, reason: errorText(error) }] };
    const middle = Math.ceil(items.length / 2);
    const one = await isolate(items.slice(0, middle), query);
    const other = await isolate(items.slice(middle), query);
    return { results: [...one.results, ...other.results], failures: [...one.failures, ...other.failures] };
  }
}
