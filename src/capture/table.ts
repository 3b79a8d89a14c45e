import type pg from 'pg';
import { parseRelation } from '../desired/catalog.ts';
import type { Column } from './source.ts';

/** A table that may be captured, as it stands in the database. */
export interface Table {
  /** Its object id. */
  readonly relation: number;
  /** schema.table as PostgreSQL writes it. */
  readonly name: string;
  /** The role it belongs to, quoted. */
  readonly owner: string;
  /** Its partitions, on every level; undefined: a plain table. */
  readonly partitions: readonly string[] | undefined;
  readonly columns: ReadonlyMap<string, Column>;
  /** Why its triggers cannot be made to fire always, and what to do; undefined: they can. */
  readonly notOurs: string | undefined;
}

interface Row {
  readonly relation: number;
  readonly name: string;
  readonly schema: string;
  readonly owner: string;
  readonly self: string;
  readonly kind: string;
  readonly usable: boolean;
  readonly partitions: string[];
  /** The first table, the whole or a part, that we may not attach triggers to. */
  readonly refused: string | null;
  /** The first one whose owner we are not, nor a member of it, and that owner. */
  readonly foreign: string | null;
  readonly foreign_owner: string | null;
}

const statement = `
select c.oid as relation, format('%I.%I', n.nspname, c.relname) as name, quote_ident(n.nspname) as schema,
  quote_ident(pg_get_userbyid(c.relowner)) as owner, quote_ident(current_user) as self, c.relkind as kind,
  has_schema_privilege(n.oid, 'usage') as usable, part.*
from pg_class c join pg_namespace n on n.oid = c.relnamespace
cross join lateral (
  select coalesce(array_agg(p.name order by p.name) filter (where p.level > 0), '{}') as partitions,
    (array_agg(p.name order by p.level, p.name) filter (where not p.allowed))[1] as refused,
    (array_agg(p.name order by p.level, p.name) filter (where not p.ours))[1] as foreign,
    (array_agg(p.owner order by p.level, p.name) filter (where not p.ours))[1] as foreign_owner
  from (
    select t.level, format('%I.%I', pn.nspname, pc.relname) as name, quote_ident(pg_get_userbyid(pc.relowner)) as owner,
      has_table_privilege(pc.oid, 'trigger') as allowed, pg_has_role(pc.relowner, 'usage') as ours
    from (select c.oid, 0 union select relid, level from pg_partition_tree(c.oid)) as t(oid, level)
    join pg_class pc on pc.oid = t.oid join pg_namespace pn on pn.oid = pc.relnamespace
    where pc.relkind in ('r', 'p')) p) part
where n.nspname = $1 and c.relname = $2`;

/** Looks for a table. Answers with what is wrong with its name or with our rights, if anything is. */
export async function findTable(client: pg.ClientBase, name: string): Promise<Table | string> {
  const parsed = parseRelation(name);
  if (!parsed) return `found "${name}", expected schema.table`;
  const { rows } = await client.query<Row>(statement, [parsed.schema, parsed.name]);
  const [table] = rows;
  if (!table) return `there is no table ${name}; expected schema.table of a table in this database`;
  const { relation, owner, self, kind, partitions, refused, foreign } = table;
  if (kind !== 'r' && kind !== 'p') return `${name} is not a table; only tables can be captured`;
  if (!table.usable)
    return `no right to use the schema of ${table.name}; run: grant usage on schema ${table.schema} to ${self}`;
  if (refused !== null) return `no right to attach triggers to ${refused}; run: grant trigger on ${refused} to ${self}`;
  return {
    relation,
    name: table.name,
    owner,
    partitions: kind === 'p' ? partitions : undefined,
    columns: await findColumns(client, relation),
    notOurs:
      foreign === null
        ? undefined
        : `only the owner of ${foreign} may have its triggers fire always; run: grant ${table.foreign_owner} to ${self}`,
  };
}

async function findColumns(client: pg.ClientBase, relation: number): Promise<Map<string, Column>> {
  const { rows } = await client.query<Column>(
    `select a.attname as name, format_type(a.atttypid, a.atttypmod) as type,
            a.atttypid = any('{int2,int4,int8,oid,bool,uuid,date,timestamp,timestamptz,bytea,text,varchar}'::regtype[])
              and coalesce(c.collisdeterministic, true) as exact,
            t.typtype = 'e' or coalesce(nullif(t.typbasetype, 0), t.oid)
              = any('{int2,int4,int8,oid,bool,uuid,numeric,text,varchar,bpchar}'::regtype[]) as steady,
            a.attgenerated = 'v' as virtual
     from pg_attribute a join pg_type t on t.oid = a.atttypid left join pg_collation c on c.oid = a.attcollation
     where a.attrelid = $1 and a.attnum > 0 and not a.attisdropped order by a.attnum`,
    [relation],
  );
  return new Map(rows.map((column) => [column.name, column]));
}
