/**
 * The records of a flow: what is told of each change, and waits for a file. They are kept as they will stand in it, so that
 * whatever cannot be written is refused at once, and nothing that is configured later changes what was told before.
 */
import type { FileConfig } from '../../config/file.ts';
import { namesBy } from '../../config/file-name.ts';
import type { Event, Format } from './format.ts';
import { numberOf, type Sqlite } from './sqlite.ts';

export class Records {
  readonly #sqlite: Sqlite;
  readonly #format: Format;
  readonly #config: FileConfig;

  constructor(sqlite: Sqlite, format: Format, config: FileConfig) {
    this.#sqlite = sqlite;
    this.#format = format;
    this.#config = config;
  }

  /** Adds the record of a change. Throws `rejected` for what cannot be written. */
  add(event: Omit<Event, 'sequence'>): void {
    const series = seriesOf(this.#config, event.entity);
    const at = event.at.getTime();
    const row = this.#sqlite.row(
      `insert into series (name, records, since) values (?, 1, ?)
       on conflict do update set records = records + 1, since = coalesce(since, excluded.since) returning records`,
      series,
      at,
    );
    const sequence = row === undefined ? 1 : numberOf(row, 'records');
    if (this.#config.content === 'snapshot') {
      if (event.operation !== 'delete') this.#format.entry(event, event.at); // refused now rather than when the file is made
      return;
    }
    const body = this.#format.event({ ...event, sequence });
    this.#sqlite.change(
      'insert into record (series, sequence, at, layout, body) values (?, ?, ?, ?, ?)',
      ...[series, sequence, at, this.#layout(series), body],
    );
  }

  /** What files of these records begin with, and are called. */
  #layout(series: string): number {
    const values = [this.#format.head(series || undefined), this.#config.name] as const;
    const find = 'select id from layout where head = ? and name = ?';
    const make = 'insert into layout (head, name) values (?, ?) returning id';
    const row = this.#sqlite.row(find, ...values) ?? this.#sqlite.row(make, ...values);
    if (row === undefined) throw new Error('the layout is not there, though it was made');
    return numberOf(row, 'id');
  }
}

/** The files that the records of an entity go into: its own, or those of all, which have the empty name. */
export function seriesOf({ name }: FileConfig, entity: string): string {
  return namesBy(name, 'entity') ? entity : '';
}
