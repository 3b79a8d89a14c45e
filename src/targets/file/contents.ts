/** What stands in a file, in pieces: the records that it was begun for, or every entry as of one moment. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { TargetError } from '../target.ts';
import { type Known, known } from './entries.ts';
import type { FlowFile } from './files.ts';
import type { Format } from './format.ts';
import { bytesOf, numberOf, type Sqlite } from './sqlite.ts';
import type { Store } from './store.ts';

/** A piece of a file. `last`: the record up to which the file tells everything, by the end of this piece. */
export interface Piece {
  readonly bytes: Uint8Array;
  readonly last: number;
}

/** Rows that are read at once, between which this process does other things. */
const pageSize = 200;

/** The records of a file, as they were recorded. */
export async function* recordsOf(store: Store, file: FlowFile, layout: number): AsyncGenerator<Piece> {
  const head = store.sqlite.row('select head from layout where id = ?', layout);
  if (head !== undefined) yield { bytes: bytesOf(head, 'head'), last: file.first - 1 };
  for (let last = file.first - 1; last < file.last; ) {
    const rows = store.sqlite.rows(
      'select sequence, body from record where series = ? and sequence > ? and sequence <= ? order by sequence limit ?',
      ...[file.series, last, file.last, pageSize],
    );
    const end = rows.at(-1);
    if (end === undefined) throw new Error(`records ${last + 1} to ${file.last} of ${file.name} are missing`);
    last = numberOf(end, 'sequence');
    yield { bytes: Buffer.concat(rows.map((row) => bytesOf(row, 'body'))), last };
    await nextTurn();
  }
}

/** Every entry of some entities, as of the moment that this begins. */
export async function* entriesOf(
  store: Store,
  file: FlowFile,
  entities: readonly string[],
  format: Format,
): AsyncGenerator<Piece> {
  const reader = store.reader();
  try {
    reader.execute('begin');
    const last = lastRecord(reader, file.series);
    yield { bytes: format.head(file.series || undefined), last };
    for (const entity of entities) {
      for (let page = pageOf(reader, entity, 0, 0); page.length > 0; ) {
        const entries = page.flatMap((row) => known(row) ?? []);
        yield { bytes: Buffer.concat(entries.map((entry) => written(format, entry, file.at))), last };
        await nextTurn();
        const [end = {}] = page.slice(-1);
        page = pageOf(reader, entity, numberOf(end, 'depth'), numberOf(end, 'number'));
      }
    }
  } finally {
    reader.close();
  }
}

/** An entry was written well when it was told: if it cannot be now, the configuration has become another since. */
function written(format: Format, entry: Known, at: Date): Buffer {
  try {
    return format.entry(entry, at);
  } catch (error) {
    if (!(error instanceof TargetError)) throw error;
    const message = `${entry.entity} ${entry.remoteId} cannot be written as is configured now: ${error.message}`;
    throw new TargetError('misconfigured', message, { cause: error });
  }
}

/** Entries after one, those that others may stand below first. */
function pageOf(reader: Sqlite, entity: string, depth: number, number: number) {
  return reader.rows(
    'select * from entry where entity = ? and (depth, number) > (?, ?) order by depth, number limit ?',
    ...[entity, depth, number, pageSize],
  );
}

function lastRecord(reader: Sqlite, series: string): number {
  return numberOf(reader.row('select records from series where name = ?', series) ?? {}, 'records');
}
