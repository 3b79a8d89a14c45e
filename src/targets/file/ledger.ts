/**
 * Takes changes into a flow: the entry as it is then, and the record that tells of it, in one transaction. It answers as
 * a directory would: what is there already, what is gone. A change that changes nothing leaves no record.
 */
import { type Applied, type Change, TargetError } from '../target.ts';
import { type Effect, effectOf } from './effect.ts';
import type { Entries, Known } from './entries.ts';
import type { Event, Format } from './format.ts';
import type { Records } from './records.ts';

export class Ledger {
  readonly #format: Format;
  readonly #entries: Entries;
  readonly #records: Records;

  constructor(format: Format, entries: Entries, records: Records) {
    this.#format = format;
    this.#entries = entries;
    this.#records = records;
  }

  /** To be called inside of a transaction. Throws TargetError; then nothing must be kept. */
  apply(change: Change, at: Date): Applied {
    switch (change.operation) {
      case 'create':
        return this.#create(change, at);
      case 'update':
        return this.#update(change, at);
      case 'remove':
        return this.#remove(change, at);
    }
  }

  #create({ entity, remoteId, attributes }: Extract<Change, { operation: 'create' }>, at: Date): Applied {
    this.#entries.requireFree(remoteId);
    const created = this.#entries.create({
      entity,
      remoteId,
      attributes: this.#format.rules.created(remoteId, attributes),
    });
    this.#tell({ operation: 'create', entity, remoteId, attributes: created.attributes, changes: [], at });
    return applied(created);
  }

  #update(change: Extract<Change, { operation: 'update' }>, at: Date): Applied {
    const { rules } = this.#format;
    const entry = this.#entries.meant(change);
    if (entry === undefined) throw new TargetError('gone', `the flow has no entry ${change.remoteId} any more`);
    const to = change.renameTo ?? entry.remoteId;
    if (to === entry.remoteId) {
      const effect = effectOf(rules, entry.attributes, change.changes);
      if (effect.changes.length > 0) this.#write(entry, to, effect, at);
      return applied(entry);
    }
    this.#entries.requireFree(to, entry);
    const { from, attributes } = { from: entry.remoteId, attributes: entry.attributes };
    const renamed = rules.renamed({ from, to, attributes, changes: change.changes });
    this.#write(entry, to, effectOf(rules, renamed.attributes, renamed.changes), at);
    return { ...applied(entry), remoteId: to };
  }

  #write(entry: Known, to: string, { attributes, changes }: Effect, at: Date): void {
    const renamed = to !== entry.remoteId;
    this.#entries.update(entry, to, attributes);
    this.#tell({
      operation: renamed ? 'rename' : 'update',
      entity: entry.entity,
      remoteId: to,
      ...(renamed ? { formerId: entry.remoteId } : {}),
      attributes,
      changes,
      at,
    });
  }

  #remove(change: Extract<Change, { operation: 'remove' }>, at: Date): Applied {
    const entry = this.#entries.meant(change);
    const { remoteId, stableId } = change;
    if (entry === undefined) return { remoteId, ...(stableId === undefined ? {} : { stableId }) };
    if (this.#entries.hasBelow(entry.remoteId))
      throw new TargetError('rejected', `${entry.remoteId} cannot be removed: there are entries below it`);
    this.#entries.remove(entry);
    this.#tell({
      operation: 'delete',
      entity: entry.entity,
      remoteId: entry.remoteId,
      attributes: {},
      changes: [],
      at,
    });
    return applied(entry);
  }

  #tell(event: Omit<Event, 'sequence'>): void {
    if (event.operation !== 'delete') this.#format.rules.require(event);
    this.#records.add(event);
  }
}

function applied({ remoteId, stableId }: Known): Applied {
  return { remoteId, stableId };
}
