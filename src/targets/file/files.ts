/**
 * The files of a flow as its tables know them. Each method is one step of the state machine in `publisher.ts`, to be
 * called inside of a transaction, by whoever has the right to make files.
 */
import type { FileConfig } from '../../config/file.ts';
import { fileName } from '../../config/file-name.ts';
import { dueNow } from './due.ts';
import { seriesOf } from './records.ts';
import { numberOf, type Row, type Sqlite, textOf } from './sqlite.ts';

/** A file that is being made, or was. */
export interface FlowFile {
  readonly series: string;
  readonly number: number;
  readonly name: string;
  readonly at: Date;
  readonly stage: 'begun' | 'written';
  /** The records that are in it. Of a snapshot, `last` is known when it is written. */
  readonly first: number;
  readonly last: number;
  /** What it begins with; undefined: it is a snapshot. */
  readonly layout: number | undefined;
}

/** So many finished files of a series stay known. */
const remembered = 1000;

export class Files {
  readonly #config: FileConfig;

  constructor(config: FileConfig) {
    this.#config = config;
  }

  /** Files that were begun and are not in their place yet. */
  unfinished(sqlite: Sqlite): FlowFile[] {
    return sqlite
      .rows("select * from file where stage in ('begun', 'written') order by series, number")
      .map((row) => fileOf(row));
  }

  /** Begins a file where one is due: its number and name are its own from now on. Undefined: none is. */
  claim(sqlite: Sqlite, now: Date): FlowFile | undefined {
    for (const row of sqlite.rows('select * from series order by name')) {
      const found =
        this.#config.content === 'snapshot'
          ? this.#snapshotOf(row, now)
          : this.#recordsOf(sqlite, textOf(row, 'name'), now);
      if (found !== undefined) return this.#begin(sqlite, row, found, now);
    }
    return undefined;
  }

  #snapshotOf(row: Row, now: Date): Contents | undefined {
    const [name, covered, records] = [textOf(row, 'name'), numberOf(row, 'covered'), numberOf(row, 'records')];
    const isOurs = Object.keys(this.#config.entities).some((entity) => seriesOf(this.#config, entity) === name);
    const waiting = { count: records - covered, since: dateOf(row, 'since', now) };
    if (!isOurs || dueNow(this.#config.publish, waiting, now) === 0) return undefined;
    return { template: this.#config.name, layout: undefined, first: covered + 1, last: records };
  }

  #recordsOf(sqlite: Sqlite, series: string, now: Date): Contents | undefined {
    const start = sqlite.row('select * from record where series = ? order by sequence limit 1', series);
    if (start === undefined) return undefined;
    const count = numberOf(sqlite.row('select count(*) as n from record where series = ?', series) ?? {}, 'n');
    const due = dueNow(this.#config.publish, { count, since: dateOf(start, 'at', now) }, now);
    if (due === 0) return undefined;
    const [first, layout] = [numberOf(start, 'sequence'), numberOf(start, 'layout')];
    // A file is of one layout: what was recorded under another configuration goes into a file of its own.
    const row = sqlite.row(
      `select max(r.sequence) as last, l.name as template from layout l, (
         select sequence from record where series = ?1 and layout = ?2 and sequence < coalesce(
           (select min(sequence) from record where series = ?1 and layout <> ?2), 9007199254740991)
         order by sequence limit ?3) r where l.id = ?2 group by l.name`,
      ...[series, layout, due],
    );
    return row && { template: textOf(row, 'template'), layout, first, last: numberOf(row, 'last') };
  }

  #begin(sqlite: Sqlite, row: Row, { template, layout, first, last }: Contents, at: Date): FlowFile {
    const [series, number] = [textOf(row, 'name'), numberOf(row, 'files') + 1];
    const name = fileName(template, { entity: series || 'all', sequence: number, at });
    sqlite.change('update series set files = ? where name = ?', number, series);
    sqlite.change(
      "insert into file (series, number, name, at, stage, first, last, layout) values (?, ?, ?, ?, 'begun', ?, ?, ?)",
      ...[series, number, name, at.getTime(), first, last, layout ?? null],
    );
    return { series, number, name, at, stage: 'begun', first, last, layout };
  }

  /** All of it stands in the half file, up to this record. */
  written(sqlite: Sqlite, { series, number }: FlowFile, last: number): void {
    const text = "update file set stage = 'written', last = ? where series = ? and number = ?";
    sqlite.change(text, last, series, number);
  }

  /** It has its name: what is in it waits no longer, and an older one of that name need not be transferred any more. */
  published(sqlite: Sqlite, { series, number, name, at }: FlowFile, last: number): void {
    const stage = this.#config.command === undefined ? 'done' : 'published';
    sqlite.change('update file set stage = ? where series = ? and number = ?', stage, series, number);
    sqlite.change('delete from record where series = ? and sequence <= ?', series, last);
    sqlite.change(
      'update series set covered = ?1, since = case when records > ?1 then ?2 end where name = ?3',
      ...[last, at.getTime(), series],
    );
    const superseded =
      "update file set stage = 'done' where series = ? and name = ? and number < ? and stage = 'published'";
    sqlite.change(superseded, series, name, number);
    const forgotten = "delete from file where series = ? and number <= ? and stage = 'done'";
    sqlite.change(forgotten, series, number - remembered);
  }

  /** Files that the command has yet to be called for, the oldest first. */
  toTransfer(sqlite: Sqlite): FlowFile[] {
    return sqlite
      .rows("select * from file where stage = 'published' order by at, series, number")
      .map((row) => fileOf(row));
  }

  transferred(sqlite: Sqlite, { series, number }: FlowFile): void {
    sqlite.change("update file set stage = 'done' where series = ? and number = ?", series, number);
  }
}

/** What goes into a file. */
interface Contents {
  readonly template: string;
  readonly layout: number | undefined;
  readonly first: number;
  readonly last: number;
}

function fileOf(row: Row): FlowFile {
  return {
    series: textOf(row, 'series'),
    number: numberOf(row, 'number'),
    name: textOf(row, 'name'),
    at: new Date(numberOf(row, 'at')),
    stage: row.stage === 'begun' ? 'begun' : 'written',
    first: numberOf(row, 'first'),
    last: numberOf(row, 'last'),
    layout: row.layout === null ? undefined : numberOf(row, 'layout'),
  };
}

function dateOf(row: Row, column: string, otherwise: Date): Date {
  return row[column] === null ? otherwise : new Date(numberOf(row, column));
}
