import { keysFunction } from '../capture/keys.ts';
import type { Queryable } from '../database/transaction.ts';
import type { Feed } from './statement.ts';

/** The sources that the last `apply` captured and that have a keys function, for the entities of a configuration. */
export async function readFeeds(database: Queryable, entities: readonly string[]): Promise<Feed[]> {
  const { rows } = await database.query<{ source: string }>('select source from staffetta.source order by source');
  const made = await database.query<{ name: string }>(`select name from staffetta.generated where kind = 'keys'`);
  const names = new Set(made.rows.map(({ name }) => name));
  return rows
    .flatMap(({ source }) => entities.map((entity) => ({ source, entity, keysFunction: keysFunction(source, entity) })))
    .filter(({ keysFunction }) => names.has(keysFunction));
}
