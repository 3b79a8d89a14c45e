/** The entries of a flow, as they were told. */
import { randomUUID } from 'node:crypto';
import { type Address, type Attributes, type RemoteState, TargetError, type Value } from '../target.ts';
import type { Entry, Rules } from './format.ts';
import { numberOf, type Row, type Sqlite, textOf } from './sqlite.ts';

/** An entry with what it is known by. */
export interface Known extends Entry {
  readonly number: number;
  readonly stableId: string;
}

/** Entity → the attributes by which its entries are found. */
export type Lookups = ReadonlyMap<string, readonly string[]>;

/** Entries that are read at once where all are looked at. */
const pageSize = 500;

export class Entries {
  readonly #sqlite: Sqlite;
  readonly #rules: Rules;
  readonly #lookups: Lookups;

  constructor(sqlite: Sqlite, rules: Rules, lookups: Lookups) {
    this.#sqlite = sqlite;
    this.#rules = rules;
    this.#lookups = lookups;
  }

  at(remoteId: string): Known | undefined {
    return known(this.#sqlite.row('select * from entry where id = ?', this.#rules.normalise(remoteId)));
  }

  /** By its stable id where one is given, whatever its remote id is by now. */
  meant({ remoteId, stableId }: Address): Known | undefined {
    if (stableId === undefined) return this.at(remoteId);
    return known(this.#sqlite.row('select * from entry where stable_id = ?', stableId));
  }

  /** Throws `exists` where an entry other than `own` has the remote id. */
  requireFree(remoteId: string, own?: Known): void {
    const there = this.at(remoteId);
    if (there === undefined || there.number === own?.number) return;
    throw new TargetError('exists', `the flow has an entry ${there.remoteId} already, of ${there.entity}`);
  }

  hasBelow(remoteId: string): boolean {
    return this.#sqlite.row('select 1 from entry where parent = ?', this.#rules.normalise(remoteId)) !== undefined;
  }

  create({ entity, remoteId, attributes }: Entry): Known {
    const stableId = randomUUID();
    this.#sqlite.change(
      'insert into entry (id, entity, remote_id, stable_id, parent, depth, attributes) values (?, ?, ?, ?, ?, ?, ?)',
      ...[this.#rules.normalise(remoteId), entity, remoteId, stableId, this.#rules.parent(remoteId) ?? null],
      ...[this.#rules.depth(remoteId), JSON.stringify(attributes)],
    );
    const entry = this.at(remoteId);
    if (entry === undefined) throw new Error(`${remoteId} is not there, though it was made`);
    this.#list(entry);
    return entry;
  }

  /** Gives an entry its new remote id and attributes; what stands below goes with it. */
  update(entry: Known, remoteId: string, attributes: Attributes): void {
    this.#sqlite.change(
      'update entry set id = ?, remote_id = ?, parent = ?, depth = ?, attributes = ? where number = ?',
      ...[this.#rules.normalise(remoteId), remoteId, this.#rules.parent(remoteId) ?? null],
      ...[this.#rules.depth(remoteId), JSON.stringify(attributes), entry.number],
    );
    this.#list({ ...entry, attributes });
    if (remoteId !== entry.remoteId) this.#moveBelow(entry.remoteId, remoteId);
  }

  remove({ number }: Known): void {
    this.#sqlite.change('delete from entry where number = ?', number);
  }

  /** Entries that have these values: found at once by the attributes of `match:`, else by looking at all. */
  having(entity: string, where: Readonly<Record<string, Value>>): Known[] {
    const listed = Object.entries(where).find(([name]) => this.#lookups.get(entity)?.includes(name));
    const some = listed === undefined ? this.#all(entity) : this.#listedAs(entity, ...listed);
    return [...some].filter(({ attributes }) =>
      Object.entries(where).every(([name, value]) => {
        const key = this.#rules.keyOf(name, value);
        return valuesOf(this.#rules, attributes, name).some((other) => this.#rules.keyOf(name, other) === key);
      }),
    );
  }

  /** So many entries of an entity after one, in the order in which they were made. */
  page(entity: string, after: number, size: number): Known[] {
    const text = 'select * from entry where entity = ? and number > ? order by number limit ?';
    return this.#sqlite.rows(text, entity, after, size).flatMap((row) => known(row) ?? []);
  }

  /** Finds entries by these values from now on. */
  listAll(): void {
    this.#sqlite.change('delete from lookup');
    for (const entity of this.#lookups.keys()) for (const entry of this.#all(entity)) this.#list(entry);
  }

  *#all(entity: string): Generator<Known> {
    for (let page = this.page(entity, 0, pageSize); page.length > 0; ) {
      yield* page;
      page = this.page(entity, page.at(-1)?.number ?? 0, pageSize);
    }
  }

  #listedAs(entity: string, attribute: string, value: Value): Known[] {
    return this.#sqlite
      .rows(
        'select e.* from lookup l join entry e on e.number = l.entry where (l.entity, l.attribute, l.key) = (?, ?, ?)',
        ...[entity, this.#rules.canonical(attribute), this.#rules.keyOf(attribute, value)],
      )
      .flatMap((row) => known(row) ?? []);
  }

  #list({ number, entity, attributes }: Known): void {
    const found = this.#lookups.get(entity) ?? [];
    if (found.length === 0) return;
    this.#sqlite.change('delete from lookup where entry = ?', number);
    for (const name of found) {
      for (const value of valuesOf(this.#rules, attributes, name))
        this.#sqlite.change(
          'insert or ignore into lookup (entity, attribute, key, entry) values (?, ?, ?, ?)',
          ...[entity, this.#rules.canonical(name), this.#rules.keyOf(name, value), number],
        );
    }
  }

  #moveBelow(from: string, to: string): void {
    for (const row of this.#sqlite.rows('select * from entry where parent = ?', this.#rules.normalise(from))) {
      const entry = known(row);
      if (entry !== undefined) this.update(entry, this.#rules.moved(entry.remoteId, to), entry.attributes);
    }
  }
}

/** An entry as the engine sees it, with the attributes that were asked for, under the names they were asked for. */
export function stateOf(rules: Rules, entry: Known, attributes: readonly string[]): RemoteState {
  const held = attributes.map((name) => [name, valuesOf(rules, entry.attributes, name)] as const);
  return {
    remoteId: entry.remoteId,
    stableId: entry.stableId,
    attributes: Object.fromEntries(held.filter(([, values]) => values.length > 0)),
    createdByUs: true,
  };
}

function valuesOf(rules: Rules, attributes: Attributes, name: string): readonly Value[] {
  const same = attributes[name];
  if (same !== undefined) return same;
  const canonical = rules.canonical(name);
  return Object.entries(attributes).find(([other]) => rules.canonical(other) === canonical)?.[1] ?? [];
}

/** An entry of a row. */
export function known(row: Row | undefined): Known | undefined {
  if (row === undefined) return undefined;
  const attributes: Attributes = JSON.parse(textOf(row, 'attributes'));
  return {
    number: numberOf(row, 'number'),
    entity: textOf(row, 'entity'),
    remoteId: textOf(row, 'remote_id'),
    stableId: textOf(row, 'stable_id'),
    attributes,
  };
}
