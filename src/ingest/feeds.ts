import type { Queryable } from '../database/transaction.ts';
import type { Feed } from './statement.ts';

/** The sources that the last `apply` captured, for the entities of a configuration. */
export async function readFeeds(database: Queryable, entities: readonly string[]): Promise<Feed[]> {
  const { rows } = await database.query<Feed>(
    `select source, entity, keys_function as "keysFunction" from staffetta.feed where entity = any ($1) order by source, entity`,
    [entities],
  );
  return rows;
}
