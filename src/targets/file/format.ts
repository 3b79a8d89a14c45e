/**
 * What tells the formats of flows from each other: by which rules entries and values are the same, and how they are
 * written down. Everything else of a flow is alike.
 */
import type { AttributeChange, Attributes, Value } from '../target.ts';

/** By which rules entries and values are the same. */
export interface Rules {
  /** See `Target.normalise`. */
  normalise(remoteId: string): string;
  /** See `Target.aside`. */
  aside(remoteId: string, key: string): string;
  /** The normalised id of the entry above, in a tree. */
  parent(remoteId: string): string | undefined;
  /** How deep in the tree an entry stands: what is above comes first in a snapshot. */
  depth(remoteId: string): number;
  /** The id that an entry has when the one above it has been renamed. */
  moved(remoteId: string, above: string): string;
  /** One name for all names of an attribute. */
  canonical(attribute: string): string;
  /** The text under which a value of an attribute is unique. */
  keyOf(attribute: string, value: Value): string;
  /** Values as an entry holds them, without repetitions. */
  held(attribute: string, values: readonly Value[]): readonly Value[];
  /** The attributes of a new entry. */
  created(remoteId: string, attributes: Attributes): Attributes;
  /** What a rename does to the attributes of an entry, and the changes that are left to be made then. */
  renamed(rename: Rename): { readonly attributes: Attributes; readonly changes: readonly AttributeChange[] };
  /** Throws `rejected` for what no entry can be. */
  require(entry: Pick<Entry, 'remoteId' | 'attributes'>): void;
}

/** An entry that gets another id, and changes that belong to it. */
export interface Rename {
  readonly from: string;
  readonly to: string;
  readonly attributes: Attributes;
  readonly changes: readonly AttributeChange[];
}

/** An entry as the flow has told it. */
export interface Entry {
  readonly entity: string;
  readonly remoteId: string;
  readonly attributes: Attributes;
}

/** A change as it is told: the entry after it (of `delete`: without attributes), and what led there. */
export interface Event extends Entry {
  readonly operation: 'create' | 'update' | 'rename' | 'delete';
  /** Of a rename. */
  readonly formerId?: string;
  readonly changes: readonly AttributeChange[];
  /** Without gaps in its series, from 1. */
  readonly sequence: number;
  readonly at: Date;
}

/** How entries and changes are written down. Throws `rejected` for what cannot be. */
export interface Format {
  readonly rules: Rules;
  /** What a file begins with. `entity`: whose entries are in it; undefined: those of several. */
  head(entity: string | undefined): Buffer;
  event(event: Event): Buffer;
  /** An entry of a snapshot. */
  entry(entry: Entry, at: Date): Buffer;
}
