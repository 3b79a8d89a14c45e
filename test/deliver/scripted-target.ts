/**
 * A target in memory. It does what a real one does, unless a test scripts what a real one does only at the worst moment:
 * it answers too late, hangs, goes away in the middle of a batch, or refuses what it took before.
 */
import {
  type Applied,
  type AttributeChange,
  type Attributes,
  type Change,
  type Health,
  type Match,
  type RemoteState,
  type Target,
  TargetError,
  type TargetErrorKind,
  type Value,
} from '../../src/targets/target.ts';

interface Entry {
  remoteId: string;
  readonly stableId: string;
  readonly attributes: Map<string, readonly Value[]>;
  readonly createdByUs: boolean;
}

/** What happens instead of `perform`, which does what was asked for. */
type Script<Asked, Answer> = (perform: () => Answer, asked: Asked, signal: AbortSignal) => Answer | Promise<Answer>;

export class ScriptedTarget implements Target {
  readonly merged = ['objectClass'];
  /** Every change that was sent, in order. */
  readonly changes: Change[] = [];
  /** Every remote id that was read, in order. */
  readonly reads: string[] = [];
  /** The most changes that were under way at once. */
  mostInFlight = 0;
  onChange: Script<Change, Applied> = (perform) => perform();
  onRead: Script<string, RemoteState | undefined> = (perform) => perform();
  onFind: Script<readonly Match[], Map<string, RemoteState[]>> = (perform) => perform();
  /** Set: it hands on later what it took. */
  flush?: (signal: AbortSignal) => Promise<void>;
  readonly #entries = new Map<string, Entry>();
  #inFlight = 0;
  #made = 0;

  async ping(): Promise<Health> {
    return { summary: 'a target in memory', identity: 'memory' };
  }

  async apply(change: Change, signal: AbortSignal): Promise<Applied> {
    this.changes.push(change);
    this.#inFlight += 1;
    this.mostInFlight = Math.max(this.mostInFlight, this.#inFlight);
    try {
      return await this.onChange(() => this.perform(change), change, signal);
    } finally {
      this.#inFlight -= 1;
    }
  }

  /** Makes a change, whatever the script says. */
  perform(change: Change): Applied {
    if (change.operation === 'create') return this.#create(change.remoteId, change.attributes, true);
    const entry = this.#locate(change);
    if (change.operation === 'remove') {
      if (entry) this.#entries.delete(this.normalise(entry.remoteId));
      return { remoteId: change.remoteId };
    }
    if (!entry) throw refusal('gone', `there is no entry ${change.remoteId}`);
    if (change.renameTo !== undefined) this.#rename(entry, change.renameTo);
    for (const one of change.changes) this.#modify(entry, one);
    return { remoteId: entry.remoteId, stableId: entry.stableId };
  }

  normalise(remoteId: string): string {
    if (remoteId.includes('\0')) throw refusal('rejected', 'a remote id has no NUL');
    return remoteId.toLowerCase();
  }

  /** Case does not count, but in passwords. */
  same(attribute: string, left: readonly Value[], right: readonly Value[]): boolean {
    const texts = (values: readonly Value[]) => new Set(values.map((value) => fold(attribute, value)));
    return texts(left).symmetricDifference(texts(right)).size === 0;
  }

  aside(remoteId: string, key: string): string {
    return remoteId.replace(/^[^,]*/, `uid=aside-${key}`);
  }

  async find(matches: readonly Match[], attributes: readonly string[], signal: AbortSignal) {
    const perform = () => {
      const found = matches.map(({ key, where }): [string, RemoteState[]] => [
        key,
        [...this.#entries.values()]
          .filter((entry) => Object.entries(where).every(([name, value]) => this.#has(entry, name, value)))
          .map((entry) => state(entry, attributes)),
      ]);
      return new Map(found.filter(([, entries]) => entries.length > 0));
    };
    return await this.onFind(perform, matches, signal);
  }

  async read(
    { remoteId, stableId }: { readonly remoteId: string; readonly stableId?: string },
    attributes: readonly string[],
    signal: AbortSignal,
  ): Promise<RemoteState | undefined> {
    this.reads.push(remoteId);
    const perform = () => {
      const entry = this.#byStableId(stableId) ?? this.#entries.get(this.normalise(remoteId));
      return entry && state(entry, attributes);
    };
    return await this.onRead(perform, remoteId, signal);
  }

  async close(): Promise<void> {}

  /** Makes an entry that somebody else made. */
  plant(remoteId: string, attributes: Attributes = {}): Applied {
    return this.#create(remoteId, attributes, false);
  }

  /** Takes an entry away, as somebody else would. */
  uproot(remoteId: string): void {
    this.#entries.delete(this.normalise(remoteId));
  }

  /** The attributes of an entry; undefined where there is none. */
  entry(remoteId: string): Attributes | undefined {
    const found = this.#entries.get(this.normalise(remoteId));
    return found && Object.fromEntries(found.attributes);
  }

  /** The stable id of an entry. */
  stableId(remoteId: string): string | undefined {
    return this.#entries.get(this.normalise(remoteId))?.stableId;
  }

  /** The remote ids of all entries, as they are written. */
  get ids(): string[] {
    return [...this.#entries.values()].map(({ remoteId }) => remoteId).sort();
  }

  /** What was sent, in short: `create uid=ada`. */
  get sent(): string[] {
    return this.changes.map((change) =>
      change.operation === 'update' && change.renameTo !== undefined
        ? `rename ${change.remoteId} → ${change.renameTo}`
        : `${change.operation} ${change.remoteId}`,
    );
  }

  #create(remoteId: string, attributes: Attributes, createdByUs: boolean): Applied {
    const normalised = this.normalise(remoteId);
    if (this.#entries.has(normalised)) throw refusal('exists', `${remoteId} exists already`);
    const stableId = `entry-${++this.#made}`;
    this.#entries.set(normalised, { remoteId, stableId, attributes: new Map(Object.entries(attributes)), createdByUs });
    return { remoteId, stableId };
  }

  #locate({ remoteId, stableId }: { readonly remoteId: string; readonly stableId?: string }): Entry | undefined {
    return this.#entries.get(this.normalise(remoteId)) ?? this.#byStableId(stableId);
  }

  #byStableId(stableId: string | undefined): Entry | undefined {
    return stableId === undefined ? undefined : this.#entries.values().find((entry) => entry.stableId === stableId);
  }

  #rename(entry: Entry, remoteId: string): void {
    const there = this.#entries.get(this.normalise(remoteId));
    if (there && there !== entry) throw refusal('exists', `${remoteId} exists already`);
    this.#entries.delete(this.normalise(entry.remoteId));
    entry.remoteId = remoteId;
    this.#entries.set(this.normalise(remoteId), entry);
  }

  #modify(entry: Entry, { attribute, action, values }: AttributeChange): void {
    const before = entry.attributes.get(attribute) ?? [];
    const present = values.filter((value) => this.#has(entry, attribute, value));
    if (action === 'add' && present.length > 0) throw refusal('converged', `${attribute} has such a value already`);
    if (action === 'delete' && present.length < values.length)
      throw refusal('converged', `${attribute} has no such value`);
    const gone = new Set(values.map((value) => fold(attribute, value)));
    const after =
      action === 'replace'
        ? values
        : action === 'add'
          ? [...before, ...values]
          : before.filter((value) => !gone.has(fold(attribute, value)));
    if (after.length > 0) entry.attributes.set(attribute, after);
    else entry.attributes.delete(attribute);
  }

  #has(entry: Entry, attribute: string, value: Value): boolean {
    return (entry.attributes.get(attribute) ?? []).some((other) => fold(attribute, other) === fold(attribute, value));
  }
}

/** A failure of a target. */
export function refusal(kind: TargetErrorKind, message = `refused: ${kind}`, unsure = false): TargetError {
  return new TargetError(kind, message, { unsure });
}

/** A script of a target that takes what it is sent and never answers, so that time runs out. */
export function hang<Answer>(_perform: () => Answer, _asked: unknown, signal: AbortSignal): Promise<Answer> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(refusal('unavailable', 'no answer in time', true)), { once: true });
  });
}

function state({ remoteId, stableId, attributes, createdByUs }: Entry, names: readonly string[]): RemoteState {
  const asked = [...attributes].filter(([name]) => names.includes(name));
  return { remoteId, stableId, attributes: Object.fromEntries(asked), createdByUs };
}

function fold(attribute: string, value: Value): string {
  if (typeof value !== 'string') return `:${value.base64}`;
  return attribute === 'userPassword' ? value : value.toLowerCase();
}
