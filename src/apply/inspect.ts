import type pg from 'pg';
import { inspectSources } from '../capture/inspect.ts';
import type { Source } from '../capture/source.ts';
import type { LoadedConfig } from '../config/load.ts';
import { ConfigError } from '../config/problem.ts';
import { checkMappings } from '../desired/check.ts';
import type { Views } from '../desired/column.ts';
import type { KeyType } from '../desired/key.ts';
import { publicKeyOf } from '../passwords/keys.ts';
import { checkRights, checkSealing } from './rights.ts';

/** What the database has of what the configuration names. */
export interface Inspected {
  readonly sources: readonly Source[];
  readonly views: Views;
  readonly keyTypes: ReadonlyMap<string, KeyType>;
}

/** Compares the configuration with the database. Throws ConfigError with every mistake, or with the rights that are missing to find any, and SecretError for a key that is none; changes nothing. */
export async function inspect(pool: pg.Pool, loaded: LoadedConfig): Promise<Inspected> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    const rights = await checkRights(client);
    if (rights.length > 0) throw new ConfigError(rights.map(loaded.place));
    const { problems, views, keyTypes } = await checkMappings(client, loaded.config);
    const sealing = loaded.config.passwords ? await checkSealing(client) : [];
    if (loaded.config.passwords) await publicKeyOf(loaded.config.passwords.key);
    const captured = await inspectSources(client, loaded.config, keyTypes, await knownColumns(client));
    const all = [...problems, ...sealing, ...captured.problems].map(loaded.place);
    if (all.length > 0)
      throw new ConfigError(all.toSorted((left, right) => left.line - right.line || left.column - right.column));
    return { sources: captured.sources, views, keyTypes };
  } finally {
    const broken = await client.query('rollback').then(
      () => false,
      () => true,
    );
    client.release(broken); // what is not released would be waited for when the pool ends
  }
}

/** The columns that events of each source carry already. */
async function knownColumns(client: pg.ClientBase): Promise<Map<string, string[]>> {
  const { rows } = await client.query<{ there: boolean }>(
    `select to_regclass('staffetta.source') is not null as there`,
  );
  if (!rows[0]?.there) return new Map();
  const sources = await client.query<{ source: string; columns: string[] }>(
    'select source, columns from staffetta.source',
  );
  return new Map(sources.rows.map(({ source, columns }) => [source, columns]));
}
