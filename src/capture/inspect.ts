import type pg from 'pg';
import type { Problem } from '../config/problem.ts';
import type { Config, SourceConfig } from '../config/schema.ts';
import type { Feed, Source } from './source.ts';
import { findTable, type Table } from './table.ts';

/** The key types of the entities: canonical text of a value (see `desired/`). */
export type KeyTypes = ReadonlyMap<string, { readonly canonical: (expression: string) => string }>;

interface Use {
  readonly entity: string;
  readonly config: SourceConfig;
  readonly path: readonly string[];
}

/**
 * Looks at every configured source: does the table exist, may we attach triggers, what does its key expression read
 * and give? Answers with the sources and with every mistake found. Must run in a transaction; leaves nothing behind.
 *
 * `known`: the columns that events of a source carry already (`staffetta.source`), which keep their places.
 */
export async function inspectSources(
  client: pg.ClientBase,
  config: Config,
  keyTypes: KeyTypes,
  known: ReadonlyMap<string, readonly string[]>,
): Promise<{ sources: Source[]; problems: Problem[] }> {
  const problems: Problem[] = [];
  const sources = new Map<number, { table: Table; uses: { use: Use; feed: Feed; reads: string[] }[] }>();
  const rings = (
    await client.query<{ rings: boolean }>(`select current_setting('max_prepared_transactions')::int = 0 as rings`)
  ).rows[0]?.rings;
  for (const [entity, { sources: configured }] of Object.entries(config.entities)) {
    const names = new Map<number, string>();
    for (const [name, source] of Object.entries(configured)) {
      const use: Use = { entity, config: source, path: ['entities', entity, 'sources', name] };
      const table = await findTable(client, name);
      if (typeof table === 'string') {
        problems.push({ path: use.path, message: table });
        continue;
      }
      const same = names.get(table.relation);
      if (same !== undefined) {
        problems.push({ path: use.path, message: `is the same table as ${same}; expected each once` });
        continue;
      }
      names.set(table.relation, name);
      if (source.capture === 'row, always' && table.notOurs !== undefined)
        problems.push({ path: [...use.path, 'capture'], message: table.notOurs });
      for (const [index, column] of (source.columns ?? []).entries()) {
        if (!table.columns.has(column))
          problems.push({ path: [...use.path, 'columns', index], message: noColumn(table, column) });
      }
      const feed = await inspectFeed(client, table, use, keyTypes);
      if (!feed) continue;
      if ('message' in feed) problems.push(feed);
      else {
        const entry = sources.get(table.relation) ?? { table, uses: [] };
        sources.set(table.relation, { ...entry, uses: [...entry.uses, { use, ...feed }] });
      }
    }
  }
  for (const { table: whole } of sources.values()) {
    const parts = [...sources.values()].filter(({ table }) => whole.partitions?.includes(table.name));
    for (const { table, uses } of parts) {
      const message = `${table.name} is a partition of ${whole.name}, which is captured with all its partitions; expected one of the two`;
      problems.push(...uses.map(({ use }) => ({ path: use.path, message })));
    }
  }
  return {
    problems,
    sources: [...sources.values()].map(({ table, uses }) => {
      const reads = new Set([...(known.get(table.name) ?? []), ...uses.flatMap((use) => use.reads)]);
      const watched = new Set([...reads, ...uses.flatMap(({ use }) => use.config.columns ?? [])]);
      const pick = (names: Set<string>) => [...names].flatMap((name) => table.columns.get(name) ?? []);
      const byRow = uses.some(({ use }) => use.config.capture !== 'statement');
      return {
        name: table.name,
        relation: table.relation,
        columns: pick(reads),
        partitions: table.partitions,
        owner: table.owner,
        byRow,
        always: uses.some(({ use }) => use.config.capture === 'row, always'),
        // A row that moves to another partition fires no row trigger for UPDATE, which `columns:` needs, but those for
        // DELETE and INSERT.
        watched:
          (byRow || !table.partitions) && uses.every(({ use }) => use.config.columns) ? pick(watched) : undefined,
        notify: uses.some(({ use }) => use.config.notify ?? rings ?? false),
        feeds: uses.map(({ feed }) => feed),
      };
    }),
  };
}

function noColumn(table: Table, column: string): string {
  return `table ${table.name} has no column "${column}"; it has ${[...table.columns.keys()].join(', ')}`;
}

async function inspectFeed(
  client: pg.ClientBase,
  table: Table,
  { entity, config, path }: Use,
  keyTypes: KeyTypes,
): Promise<{ feed: Feed; reads: string[] } | Problem | undefined> {
  const expression = await probe(client, () => readExpression(client, table, config.key));
  if ('message' in expression)
    return {
      path: config.columns || config.resolve ? [...path, 'key'] : path,
      message: `key expression "${config.key}": ${expression.message}`,
    };
  if (expression.value.reads.length === 0)
    return { path, message: `key expression "${config.key}" reads no column of ${table.name}` };
  const virtual = expression.value.reads.find((name) => table.columns.get(name)?.virtual);
  if (virtual !== undefined)
    return {
      path,
      message: `key expression "${config.key}" reads "${virtual}", a virtual generated column, which triggers cannot see; write what it is generated from`,
    };
  const query = config.resolve?.trim().replace(/;$/, '');
  const resolved =
    query === undefined ? undefined : await probe(client, () => resultType(client, query, expression.value.type));
  if (resolved && 'message' in resolved) return { path: [...path, 'resolve'], message: resolved.message };
  const canonical = keyTypes.get(entity)?.canonical;
  if (!canonical) return undefined; // a mistake of the entity, told by itself
  const type = resolved?.value ?? expression.value.type;
  const cast = await probe(client, () => client.query(`select ${canonical(`null::${type}`)} limit 0`));
  if ('message' in cast)
    return { path, message: `gives ${type}, which is not the key of entity ${entity}: ${cast.message}` };
  return {
    reads: expression.value.reads,
    feed: {
      entity,
      expression: config.key,
      type: expression.value.type,
      resolve: query !== undefined && resolved ? { query, type: resolved.value } : undefined,
      canonical,
    },
  };
}

/** Which columns an expression reads, and its type: PostgreSQL knows, once a view is made of it. */
async function readExpression(
  client: pg.ClientBase,
  table: Table,
  expression: string,
): Promise<{ type: string; reads: string[] }> {
  await client.query(`create temporary view staffetta_probe as select (${expression}) as k from ${table.name}`);
  const { rows } = await client.query<{ type: string; reads: string[] }>(
    `select (select format_type(atttypid, atttypmod) from pg_attribute where attrelid = v.oid and attnum = 1) as type,
            array(select a.attname::text from pg_depend d join pg_rewrite r on r.oid = d.objid
                  join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
                  where d.classid = 'pg_rewrite'::regclass and r.ev_class = v.oid and d.refobjid = $1 and d.refobjsubid > 0
                  group by a.attname, a.attnum order by a.attnum) as reads
     from (select 'pg_temp.staffetta_probe'::regclass::oid) v`,
    [table.relation],
  );
  return rows[0] ?? { type: 'text', reads: [] };
}

/** The type of the only column of a `resolve` query. */
async function resultType(client: pg.ClientBase, query: string, argument: string): Promise<string> {
  const sample = query.replaceAll('$1', () => `'{}'::${argument}[]`);
  const { fields } = await client.query(`select * from (\n${sample}\n) q limit 0`);
  const [field, ...more] = fields;
  if (!field || more.length > 0) throw new Error(`expected a query with one column, the key; found ${fields.length}`);
  const { rows } = await client.query<{ type: string }>('select format_type($1::oid, null) as type', [
    field.dataTypeID,
  ]);
  return rows[0]?.type ?? 'text';
}

/** Tries something that may fail, and undoes it in any case. */
async function probe<T>(client: pg.ClientBase, attempt: () => Promise<T>): Promise<{ value: T } | { message: string }> {
  await client.query('savepoint staffetta_probe');
  try {
    return { value: await attempt() };
  } catch (error) {
    return { message: error instanceof Error ? error.message : String(error) };
  } finally {
    await client.query('rollback to savepoint staffetta_probe');
  }
}
