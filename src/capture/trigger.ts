import pg from 'pg';
import { type Generated, hashOf } from '../database/generated.ts';
import { valueSettings } from '../database/pool.ts';
import { type Column, type Source, slug } from './source.ts';

const { escapeIdentifier, escapeLiteral } = pg;

/** The advisory lock that a parked drainer holds exclusively (PROTOCOL A1). */
export const parkedLock = 7272001;

/** The channel of the bell. */
export const bellChannel = 'staffetta';

/** The trigger function of a source. */
function captureFunction(source: string): string {
  return `staffetta.${escapeIdentifier(`capture_${slug(source, hashOf)}`)}`;
}

/** Statements that end the capture of a source, whether or not it is captured. */
export function removeCapture(source: string): string[] {
  return [`drop function if exists ${captureFunction(source)}() cascade`];
}

/**
 * Everything that captures a source, made at once: the function and its triggers.
 *
 * The function is one INSERT … SELECT of plain columns (PROTOCOL A5). What goes wrong in it becomes "rescan this
 * source" and never an error of the application's statement (A6). It rings only if something was recorded and a drainer
 * is parked (A1). SECURITY DEFINER: the application's role needs no right on anything of Staffetta's.
 *
 * By statement: UPDATE without `columns:` takes a statement trigger on the new rows and a row trigger for keys that
 * changed (A5); with `columns:` one row trigger, which costs nothing where no watched column changed. A partitioned
 * table takes one statement trigger on old and new rows, on it and on each partition: a row that moves fires no row
 * trigger for UPDATE.
 *
 * By row: one row trigger for each of INSERT, UPDATE and DELETE, which PostgreSQL itself gives to every partition, also
 * to those that are made or attached later. Whoever does that must be allowed to execute the function, as only the owner
 * of the table can. Only such triggers, set to fire always, see what logical replication applies.
 */
export function compileCapture(source: Source): Generated {
  const name = captureFunction(source.name);
  const { partitions, byRow, always, owner } = source;
  // The argument tells whoever looks, `apply` too, that the trigger is to fire always.
  const call = `execute function ${name}(${always ? `'always'` : ''})`;
  const attach = (suffix: string, event: string, rest: string, tables: readonly string[]) =>
    tables.flatMap((table) => [
      `create trigger staffetta_${suffix} after ${event} on ${table} ${rest} ${call}`,
      ...(always ? [`alter table ${table} enable always trigger staffetta_${suffix}`] : []),
    ]);
  const each = [source.name, ...(partitions ?? [])];
  return {
    kind: 'capture',
    name: source.name,
    make: [
      // Dropping our function takes its triggers along, which dropping them one by one would need the table's owner for.
      ...removeCapture(source.name),
      `create function ${name}() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp${pinned(source)} as ${escapeLiteral(captureBody(source))}`,
      `revoke all on function ${name}() from public`,
      ...(byRow && partitions ? [`grant execute on function ${name}() to ${owner}`] : []),
      ...(byRow ? rowTriggers(source) : statementTriggers(source)).flatMap(([suffix, event, rest]) =>
        attach(suffix, event, rest, byRow ? [source.name] : each),
      ),
      ...attach('t', 'truncate', 'for each statement', each),
    ],
    remove: removeCapture(source.name),
  };
}

type Trigger = readonly [suffix: string, event: string, rest: string];

function rowTriggers({ watched }: Source): Trigger[] {
  return [
    ['i', 'insert', 'for each row'],
    ['u', 'update', watched ? `for each row when (${anyDistinct(watched)})` : 'for each row'],
    ['d', 'delete', 'for each row'],
  ];
}

function statementTriggers({ partitions, watched, columns }: Source): Trigger[] {
  const update: Trigger[] = partitions
    ? [['u', 'update', 'referencing old table as o new table as n for each statement']]
    : watched
      ? [['u', 'update', `for each row when (${anyDistinct(watched)})`]]
      : [
          ['u', 'update', 'referencing new table as n for each statement'],
          ['k', 'update', `for each row when (${anyDistinct(columns)})`],
        ];
  return [
    ['i', 'insert', 'referencing new table as n for each statement'],
    ...update,
    ['d', 'delete', 'referencing old table as o for each statement'],
  ];
}

/** Settings under which the text of the captured columns is what ingest reads; they cost time, so only where needed. */
function pinned({ columns }: Source): string {
  if (columns.every(({ steady }) => steady)) return '';
  return (['TimeZone', 'DateStyle', 'IntervalStyle', 'extra_float_digits', 'bytea_output'] as const)
    .map((name) => ` set ${name} = ${escapeLiteral(valueSettings[name])}`)
    .join('');
}

function captureBody(source: Source): string {
  const bell = source.notify
    ? `
  if recorded > 0 and not (pg_try_advisory_lock_shared(${parkedLock}) and pg_advisory_unlock_shared(${parkedLock})) then
    perform pg_notify('${bellChannel}', '');
  end if;`
    : '';
  return `
declare recorded bigint := 1;
begin
  begin
    ${source.byRow ? recordRow(source) : recordStatement(source)}
  exception when others then
    ${record} values (${escapeLiteral(source.name)}, 'R', null);
    recorded := 1;
  end;${bell}
  return null;
end`;
}

const record = 'insert into staffetta.event (source, op, cols)';

function valuesOf({ columns }: Source, row: string): string {
  return `array[${columns.map(({ name }) => `${row}.${escapeIdentifier(name)}::text`).join(', ')}]`;
}

/** Of an UPDATE the new key, and the old one where it is another. */
function recordRow(source: Source): string {
  const origin = escapeLiteral(source.name);
  return `if tg_op = 'TRUNCATE' then
      ${record} values (${origin}, 'R', null);
    elsif tg_op = 'DELETE' then
      ${record} values (${origin}, 'D', ${valuesOf(source, 'old')});
    else
      ${record} values (${origin}, left(tg_op, 1)::"char", ${valuesOf(source, 'new')});
      if tg_op = 'UPDATE' then
        if ${anyDistinct(source.columns)} then ${record} values (${origin}, 'U', ${valuesOf(source, 'old')}); end if;
      end if;
    end if;`;
}

function recordStatement(source: Source): string {
  const origin = escapeLiteral(source.name);
  const values = (row: string) => valuesOf(source, row);
  const old = `${record} values (${origin}, 'U', ${values('old')});`;
  const byRow = source.watched
    ? `${record} values (${origin}, 'U', ${values('new')});
      if ${anyDistinct(source.columns)} then ${old} end if;`
    : old;
  const moved = source.partitions
    ? `elsif tg_op = 'UPDATE' then
      ${record} select ${origin}, 'U', r.cols from (select ${values('n')} from n union select ${values('o')} from o) as r(cols);
      get diagnostics recorded = row_count;
    `
    : '';
  return `if tg_level = 'ROW' then
      ${byRow}
    elsif tg_op = 'TRUNCATE' then
      ${record} values (${origin}, 'R', null);
    elsif tg_op = 'DELETE' then
      ${record} select ${origin}, 'D', ${values('o')} from o;
      get diagnostics recorded = row_count;
    ${moved}else
      ${record} select ${origin}, left(tg_op, 1)::"char", ${values('n')} from n;
      get diagnostics recorded = row_count;
    end if;`;
}

/** SQL that tells whether a row's columns have changed. */
function anyDistinct(columns: readonly Column[]): string {
  return columns
    .map(({ name, exact }) => {
      const column = escapeIdentifier(name);
      return exact
        ? `old.${column} is distinct from new.${column}`
        : // Byte by byte, as a materialised view is compared. The cast keeps it from being a comparison of each column.
          `row(old.${column})::record operator(pg_catalog.*<>) row(new.${column})::record`;
    })
    .join(' or ');
}
