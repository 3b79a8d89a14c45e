import type { Hooks } from '../hooks/hooks.ts';
import type { Opener } from '../passwords/open.ts';
import type { Target } from '../targets/target.ts';
import type { Mapping } from './plan.ts';
import type { Holders } from './references.ts';

/** An entity of a target, with everything that delivering it needs and that does not change while a daemon runs. */
export interface Route extends Holders {
  readonly mapping: Mapping;
  /** Adopt an existing entry that matches, instead of failing on it. */
  readonly matches: boolean;
  /** Targets with this entity that must have a key first, and those that come after this one (PROTOCOL F2). */
  readonly before: readonly Neighbour[];
  readonly behind: readonly Neighbour[];
}

/** The same entity on another target. */
export interface Neighbour {
  readonly target: string;
  /** Exact SQL type of the entity's key there. */
  readonly keyType: string;
}

/** A target with its routes, as pumps use it. */
export interface Destination {
  readonly name: string;
  readonly target: Target;
  readonly routes: ReadonlyMap<string, Route>;
  /** Entities that others refer to on this target. */
  readonly referred: readonly string[];
  /** Operations in flight per pump. */
  readonly concurrency: number;
  /** Milliseconds that one operation may take. */
  readonly timeout: number;
  /** Deliveries per claim. */
  readonly batch: number;
  /** What is called before and after each change; undefined: nothing. */
  readonly hooks?: Hooks | undefined;
  /** Opens passwords that were handed over; undefined: none are taken. */
  readonly open?: Opener | undefined;
  /** The installation's secret, which keys the hashes of secret values. */
  readonly secret: Buffer;
}
