/**
 * The `file` target: a flow of files for others to read. What has been told of each entry is kept beside the files
 * (`store.ts`), so that a flow answers like a directory: it can be read, searched and compared, nothing is told twice, and
 * what is in doubt after a crash is looked up instead of being written again.
 *
 *   apply   the entry and its record, in one durable transaction (`ledger.ts`, `commits.ts`)
 *   flush   the files that are due (`publisher.ts`)
 */
import { isAbsolute, join } from 'node:path';
import type { FileConfig } from '../../config/file.ts';
import { requireTime } from '../deadline.ts';
import { mappingOf } from '../mapping-of.ts';
import { sameValues } from '../same-values.ts';
import {
  type Address,
  type Applied,
  type Change,
  type Health,
  type Match,
  type RemoteState,
  type Target,
  TargetError,
  type Value,
} from '../target.ts';
import { Access } from './access.ts';
import { Commits } from './commits.ts';
import { type Entries, stateOf } from './entries.ts';
import { failureOf } from './failure.ts';
import type { Rules } from './format.ts';
import { formatOf } from './formats.ts';
import { Ledger } from './ledger.ts';
import { type Place, Publisher } from './publisher.ts';
import { Records } from './records.ts';
import { summaryOf } from './summary.ts';
import { everyday, type Witness } from './witness.ts';

/** Entries that a scan reads at once. */
const pageSize = 500;

export class FileTarget implements Target {
  /** In LDIF, as in a directory, what others give an entry belongs with attributes of theirs. */
  readonly merged: readonly string[];
  readonly #place: Place;
  readonly #access: Access;
  readonly #commits: Commits;
  readonly #publisher: Publisher;
  readonly #witness: Witness;
  readonly #closing = new AbortController();
  /** The making of files that is under way, and the one that follows it: for all that came meanwhile, one will do. */
  #making: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  /** `directory`: where relative file names of the configuration begin. */
  constructor(config: FileConfig, directory: string, witness: Witness = everyday) {
    const folder = isAbsolute(config.folder) ? config.folder : join(directory, config.folder);
    this.#place = { config, folder, directory, format: formatOf(config) };
    this.#access = new Access(this.#place);
    this.#commits = new Commits(() => this.#access.store());
    this.#publisher = new Publisher(this.#place, this.#commits, witness);
    this.#witness = witness;
    this.merged = config.format === 'ldif' ? ['objectClass'] : [];
  }

  /** The identity is one that the folder was given when the flow began in it. */
  async ping(signal: AbortSignal): Promise<Health> {
    requireTime(signal);
    const store = await this.#access.whatever();
    return { summary: summaryOf(store, this.#place), identity: store.identity };
  }

  expect(identity: string | undefined): void {
    this.#access.expect(identity);
  }

  async apply(change: Change, signal: AbortSignal): Promise<Applied> {
    requireTime(signal);
    const { format, config } = this.#place;
    mappingOf<object>(config, change.entity);
    return this.#commits.run((store) => {
      const records = new Records(store.sqlite, format, config);
      const applied = new Ledger(format, this.#access.entries(store), records).apply(change, this.#witness.now());
      this.#witness.reached('recorded');
      return applied;
    }, signal);
  }

  /**
   * Makes the files that are due. What takes longer than `signal` allows is not given up: it goes on, and whoever comes
   * next waits for it.
   */
  async flush(signal: AbortSignal): Promise<void> {
    requireTime(signal);
    const { promise: late, reject } = Promise.withResolvers<never>();
    const giveUp = () =>
      reject(new TargetError('unavailable', `the files in ${this.#place.folder} are still being made or transferred`));
    signal.addEventListener('abort', giveUp, { once: true });
    try {
      await Promise.race([this.#following(), late]);
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  }

  normalise(remoteId: string): string {
    return this.#rules.normalise(remoteId);
  }

  same(attribute: string, left: readonly Value[], right: readonly Value[]): boolean {
    return sameValues(left, right, (value) => this.#rules.keyOf(attribute, value));
  }

  aside(remoteId: string, key: string): string {
    return this.#rules.aside(remoteId, key);
  }

  async find(
    matches: readonly Match[],
    attributes: readonly string[],
    signal: AbortSignal,
  ): Promise<Map<string, RemoteState[]>> {
    const answers = await this.#read(
      (entries) =>
        matches.map(({ key, entity, where }) => {
          const found = entries.having(entity, where).map((entry) => stateOf(this.#rules, entry, attributes));
          return [key, found] as const;
        }),
      signal,
    );
    return new Map(answers.filter(([, states]) => states.length > 0));
  }

  async read(entry: Address, attributes: readonly string[], signal: AbortSignal): Promise<RemoteState | undefined> {
    const found = await this.#read((entries) => entries.meant(entry) ?? entries.at(entry.remoteId), signal);
    return found && stateOf(this.#rules, found, attributes);
  }

  async *scan(entity: string, attributes: readonly string[], signal: AbortSignal): AsyncGenerator<RemoteState> {
    for (let after = 0; ; ) {
      const page = await this.#read((entries) => entries.page(entity, after, pageSize), signal);
      for (const entry of page) yield stateOf(this.#rules, entry, attributes);
      const last = page.at(-1);
      if (last === undefined) return;
      after = last.number;
    }
  }

  async close(): Promise<void> {
    this.#closing.abort(new TargetError('unavailable', 'the flow is closed'));
    await Promise.allSettled([this.#making, this.#next]);
    this.#access.close();
  }

  get #rules(): Rules {
    return this.#place.format.rules;
  }

  async #read<T>(question: (entries: Entries) => T, signal: AbortSignal): Promise<T> {
    requireTime(signal);
    const store = await this.#access.store();
    try {
      return question(this.#access.entries(store));
    } catch (error) {
      throw failureOf(`the flow in ${this.#place.folder} cannot be read`, error);
    }
  }

  /** A making of files that begins after this call. */
  #following(): Promise<void> {
    if (this.#making === undefined) return this.#make();
    this.#next ??= this.#making.then(
      () => this.#make(),
      () => this.#make(),
    );
    return this.#next;
  }

  #make(): Promise<void> {
    this.#next = undefined;
    const making = this.#publish().finally(() => {
      this.#making = undefined;
    });
    this.#making = making;
    return making;
  }

  async #publish(): Promise<void> {
    const { signal } = this.#closing;
    try {
      await this.#publisher.publish(signal);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw failureOf(`the files in ${this.#place.folder} cannot be made`, error);
    }
  }
}
