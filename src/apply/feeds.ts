import type pg from 'pg';
import { keysFunction } from '../capture/keys.ts';
import type { Source } from '../capture/source.ts';

/** Records which source gives keys of which entity, and through which function. */
export async function recordFeeds(client: pg.ClientBase, sources: readonly Source[]): Promise<void> {
  const feeds = sources.flatMap(({ name, feeds }) =>
    feeds.map(({ entity }) => ({ source: name, entity, keys_function: keysFunction(name, entity) })),
  );
  await client.query(
    `delete from staffetta.feed f where not exists (
       select from jsonb_to_recordset($1) as w(source text, entity text) where (w.source, w.entity) = (f.source, f.entity))`,
    [JSON.stringify(feeds)],
  );
  await client.query(
    `insert into staffetta.feed (source, entity, keys_function)
     select source, entity, keys_function from jsonb_to_recordset($1) as w(source text, entity text, keys_function text)
     on conflict (source, entity) do update set keys_function = excluded.keys_function`,
    [JSON.stringify(feeds)],
  );
}
