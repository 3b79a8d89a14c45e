import type pg from 'pg';
import type { Problem } from '../config/problem.ts';
import type { Config, SourceConfig } from '../config/schema.ts';
import { parseRelation } from '../desired/catalog.ts';
import type { Column, Feed, Source } from './source.ts';

/** The key types of the entities: canonical text of a value (see `desired/`). */
export type KeyTypes = ReadonlyMap<string, { readonly canonical: (expression: string) => string }>;

interface Table {
  readonly relation: number;
  readonly name: string;
  readonly partitions: readonly string[] | undefined;
  readonly columns: ReadonlyMap<string, Column>;
}

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
  return {
    problems,
    sources: [...sources.values()].map(({ table, uses }) => {
      const reads = new Set([...(known.get(table.name) ?? []), ...uses.flatMap((use) => use.reads)]);
      const watched = new Set([...reads, ...uses.flatMap(({ use }) => use.config.columns ?? [])]);
      const pick = (names: Set<string>) => [...names].flatMap((name) => table.columns.get(name) ?? []);
      return {
        name: table.name,
        relation: table.relation,
        columns: pick(reads),
        partitions: table.partitions,
        // A row that moves to another partition fires no row trigger, which `columns:` needs.
        watched: !table.partitions && uses.every(({ use }) => use.config.columns) ? pick(watched) : undefined,
        notify: uses.some(({ use }) => use.config.notify ?? rings ?? false),
        feeds: uses.map(({ feed }) => feed),
      };
    }),
  };
}

function noColumn(table: Table, column: string): string {
  return `table ${table.name} has no column "${column}"; it has ${[...table.columns.keys()].join(', ')}`;
}

/** The table, or what is wrong with it. */
async function findTable(client: pg.ClientBase, name: string): Promise<Table | string> {
  const parsed = parseRelation(name);
  if (!parsed) return `found "${name}", expected schema.table`;
  const { rows } = await client.query<{
    relation: number;
    name: string;
    schema: string;
    kind: string;
    usable: boolean;
    allowed: boolean;
    owner: string;
    partitions: string[];
    refused: string | null;
  }>(
    `select c.oid as relation, format('%I.%I', n.nspname, c.relname) as name, quote_ident(n.nspname) as schema, c.relkind as kind,
            has_schema_privilege(n.oid, 'usage') as usable, has_table_privilege(c.oid, 'trigger') as allowed, quote_ident(current_user) as owner, p.*
     from pg_class c join pg_namespace n on n.oid = c.relnamespace
     cross join lateral (
       select coalesce(array_agg(format('%I.%I', pn.nspname, pc.relname) order by pn.nspname, pc.relname), '{}') as partitions,
         min(format('%I.%I', pn.nspname, pc.relname)) filter (where not has_table_privilege(pc.oid, 'trigger')) as refused
       from pg_partition_tree(c.oid) t join pg_class pc on pc.oid = t.relid join pg_namespace pn on pn.oid = pc.relnamespace
       where t.level > 0 and pc.relkind in ('r', 'p')) p
     where n.nspname = $1 and c.relname = $2`,
    [parsed.schema, parsed.name],
  );
  const [table] = rows;
  if (!table) return `there is no table ${name}; expected schema.table of a table in this database`;
  if (table.kind !== 'r' && table.kind !== 'p') return `${name} is not a table; only tables can be captured`;
  if (!table.usable)
    return `no right to use the schema of ${table.name}; run: grant usage on schema ${table.schema} to ${table.owner}`;
  const refused = table.allowed ? table.refused : table.name;
  if (refused !== null)
    return `no right to attach triggers to ${refused}; run: grant trigger on ${refused} to ${table.owner}`;
  const columns = await client.query<Column>(
    `select a.attname as name, format_type(a.atttypid, a.atttypmod) as type,
            a.atttypid = any('{int2,int4,int8,oid,bool,uuid,date,timestamp,timestamptz,bytea,text,varchar}'::regtype[])
              and coalesce(c.collisdeterministic, true) as exact,
            t.typtype = 'e' or coalesce(nullif(t.typbasetype, 0), t.oid)
              = any('{int2,int4,int8,oid,bool,uuid,numeric,text,varchar,bpchar}'::regtype[]) as steady,
            a.attgenerated = 'v' as virtual
     from pg_attribute a join pg_type t on t.oid = a.atttypid left join pg_collation c on c.oid = a.attcollation
     where a.attrelid = $1 and a.attnum > 0 and not a.attisdropped order by a.attnum`,
    [table.relation],
  );
  const partitions = table.kind === 'p' ? table.partitions : undefined;
  return { ...table, partitions, columns: new Map(columns.rows.map((column) => [column.name, column])) };
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
