/**
 * Templates as SQL (PROTOCOL D4). `{x}`, NULL or empty, makes the whole text NULL; `{x?}` counts as empty and takes one
 * adjacent space with it: the one before it or, where there is none (or it was taken already), the one after it.
 *
 * Columns that follow each other without text between them (`{a}{b?}`) have no space of their own: they take the one
 * next to all of them, and only when all are empty. Otherwise `{first}{suffix?} {last}` would glue first to last.
 */
import pg from 'pg';
import type { Template, TemplateColumn } from '../config/template.ts';

/** Columns that follow each other, and the text after them. */
interface Run {
  readonly columns: readonly TemplateColumn[];
  readonly after: string;
}

/**
 * SQL for the text of a template; NULL where a column that it needs is empty, or nothing but white space would be left.
 * `text` gives the SQL for a column's text; `escapeValue` wraps it for where the text is to stand (a distinguished name).
 */
export function compileTemplate(
  { parts }: Template,
  text: (column: string) => string,
  escapeValue: (expression: string) => string = (expression) => expression,
): string {
  const { start, runs } = inRuns(parts);
  const pieces: string[] = [];
  let before = start;
  /** SQL condition under which the space that `before` begins with is taken already by the run before it. */
  let taken: string | undefined;
  for (const { columns, after } of runs) {
    const empty = columns.every(({ optional }) => optional) ? isEmpty(columns, text) : undefined;
    const takesBefore = before.endsWith(' ') ? empty : undefined;
    // where the text between two runs is one space, the run before may have taken it
    const contested = before === ' ' ? taken : undefined;
    pieces.push(...literal(before, taken, takesBefore));
    pieces.push(...columns.map((column) => value(column, text, escapeValue)));
    taken = undefined;
    if (empty !== undefined && after.startsWith(' ')) {
      if (takesBefore === undefined) taken = empty;
      else if (contested !== undefined) taken = `${contested} and ${empty}`;
    }
    before = after;
  }
  pieces.push(...literal(before, taken, undefined));
  const whole = pieces.length === 0 ? `''` : pieces.join(' || ');
  const neverBlank = parts.some((part) => typeof part === 'string' && /\S/.test(part));
  return neverBlank ? `(${whole})` : `staffetta.not_blank(${whole})`;
}

function inRuns(parts: Template['parts']): { start: string; runs: Run[] } {
  let start = '';
  const runs: { columns: TemplateColumn[]; after: string }[] = [];
  for (const part of parts) {
    const last = runs.at(-1);
    if (typeof part !== 'string') {
      if (last && last.after === '') last.columns.push(part);
      else runs.push({ columns: [part], after: '' });
    } else if (last) last.after += part;
    else start += part;
  }
  return { start, runs };
}

/** SQL for text whose first space may be taken, whose last space may be, or whose only one may be by either side. */
function literal(text: string, first: string | undefined, last: string | undefined): string[] {
  const conditions = [first, last].filter((condition) => condition !== undefined);
  if (text === ' ' && conditions.length > 0) return [space(conditions.join(' or '))];
  const middle = text.slice(first === undefined ? 0 : 1, last === undefined ? undefined : -1);
  return [
    ...(first === undefined ? [] : [space(first)]),
    ...(middle === '' ? [] : [pg.escapeLiteral(middle)]),
    ...(last === undefined ? [] : [space(last)]),
  ];
}

/** SQL for a space that is left out under a condition. */
function space(unless: string): string {
  return `case when ${unless} then '' else ' ' end`;
}

function isEmpty(columns: readonly TemplateColumn[], text: (column: string) => string): string {
  return columns.map(({ column }) => `coalesce(${text(column)}, '') = ''`).join(' and ');
}

function value(
  { column, optional }: TemplateColumn,
  text: (column: string) => string,
  escapeValue: (expression: string) => string,
): string {
  return optional ? `coalesce(${escapeValue(text(column))}, '')` : escapeValue(`nullif(${text(column)}, '')`);
}
