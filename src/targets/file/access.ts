/**
 * The way to the store of a flow: opened when it is first needed, anew when another folder has been put in its place, and
 * brought in line with what is configured now.
 */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { TargetError } from '../target.ts';
import { Entries, type Lookups } from './entries.ts';
import { failureOf } from './failure.ts';
import type { Place } from './publisher.ts';
import { isBusy } from './sqlite.ts';
import { Store } from './store.ts';

/** Milliseconds before it is tried again to open what another process is just making, and for how long. */
const pause = 10;
const patience = 5_000;

export class Access {
  readonly #place: Place;
  readonly #lookups: Lookups;
  #opened: Promise<Store> | undefined;
  #expected: string | undefined;

  constructor(place: Place) {
    this.#place = place;
    this.#lookups = new Map(
      Object.entries(place.config.entities).map(([entity, { match }]) => [entity, Object.keys(match ?? {})]),
    );
  }

  /** See `Target.expect`. */
  expect(identity: string | undefined): void {
    this.#expected = identity;
  }

  /** The store. Throws TargetError where there is no folder, or where another flow than the one expected is in it. */
  async store(): Promise<Store> {
    const store = await this.whatever();
    if (this.#expected === undefined || store.identity === this.#expected) return store;
    throw new TargetError(
      'misconfigured',
      `${this.#place.folder} holds the flow ${store.identity}, another one than the links belong to (${this.#expected}): put its folder back, or, if this is to take its place, run \`staffetta accept-target\``,
    );
  }

  /** The store, whichever flow it is of. */
  async whatever(): Promise<Store> {
    const opened = this.#opened;
    const before = await opened?.catch(() => undefined);
    if (before?.isCurrent()) return before;
    if (this.#opened === opened) {
      before?.close();
      this.#opened = this.#open();
    }
    try {
      return await (this.#opened ?? this.#open());
    } catch (error) {
      throw failureOf(`the flow in ${this.#place.folder} cannot be opened`, error);
    }
  }

  entries({ sqlite }: Store): Entries {
    return new Entries(sqlite, this.#place.format.rules, this.#lookups);
  }

  close(): void {
    this.#opened?.then((store) => store.close()).catch(() => {});
    this.#opened = undefined;
  }

  async #open(): Promise<Store> {
    const { folder, config } = this.#place;
    for (const start = performance.now(); ; ) {
      let store: Store | undefined;
      try {
        store = new Store(folder, config.format);
        this.#bringInLine(store);
        return store;
      } catch (error) {
        store?.close();
        if (!isBusy(error) || performance.now() - start > patience) throw error;
        await sleep(pause);
      }
    }
  }

  /** Entries are found by other values than before, or snapshots look otherwise: seen once, by whoever opens it first. */
  #bringInLine(store: Store): void {
    const { config } = this.#place;
    const { publish, command, mode, guard, hooks, ...look } = config;
    const wanted = {
      lookups: JSON.stringify([...this.#lookups]),
      look: createHash('sha256').update(JSON.stringify(look)).digest('hex'),
    };
    const isChanged = (name: keyof typeof wanted) => store.meta(name) !== wanted[name];
    if (!isChanged('lookups') && !isChanged('look')) return;
    store.sqlite.execute('begin immediate');
    try {
      if (isChanged('lookups')) this.entries(store).listAll();
      if (isChanged('look') && config.content === 'snapshot')
        store.sqlite.change('update series set records = records + 1, since = coalesce(since, ?)', Date.now());
      for (const [name, value] of Object.entries(wanted)) store.remember(name, value);
      store.sqlite.execute('commit');
    } catch (error) {
      store.sqlite.execute('rollback');
      throw error;
    }
  }
}
