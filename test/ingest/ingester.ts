import type pg from 'pg';
import { readParameters } from '../../src/database/parameters.ts';
import { readFeeds } from '../../src/ingest/feeds.ts';
import { type Drained, Ingest } from '../../src/ingest/ingest.ts';
import type { Site } from '../apply/site.ts';

/** An ingester of the configuration that was applied last, on a connection of its own. */
export interface Ingester {
  readonly ingest: Ingest;
  readonly client: pg.PoolClient;
  drain(): Promise<Drained>;
}

export async function createIngester(site: Site, entities: readonly string[]): Promise<Ingester> {
  const [installation] = await site.query<{ revision: string }>('select revision from staffetta.installation');
  const ingest = new Ingest(await readFeeds(site.pool, entities), installation?.revision ?? '');
  const client = await site.pool.connect();
  return { ingest, client, drain: async () => ingest.drain(client, await readParameters(client)) };
}
