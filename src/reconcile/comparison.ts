import type { Queryable } from '../database/transaction.ts';
import { concurrently } from '../deliver/concurrently.ts';
import type { Loaded, Unloadable } from '../deliver/load.ts';
import type { Context } from '../deliver/plan.ts';
import type { Members } from '../deliver/references.ts';
import type { Destination, Route } from '../deliver/route.ts';
import { type RemoteState, TargetError } from '../targets/target.ts';
import { type Glimpse, glimpse, keysAsDesired } from './as-desired.ts';
import { type Candidates, findCandidates } from './candidates.ts';
import { type Drift, judge, unreadable } from './drift.ts';
import { type EntryLimits, loadUnclaimed, readLimits } from './load-unclaimed.ts';
import type { Survey, Wanted } from './survey.ts';
import { wantedMembers } from './wanted-members.ts';

/** Compares live entries with the desired states of their keys. */
export class Comparison {
  readonly #session: Queryable;
  readonly #destination: Destination;
  readonly #route: Route;
  readonly #survey: Survey;
  readonly #attributes: readonly string[];
  readonly #context: Context;
  #limits: EntryLimits | undefined;

  /** `attributes`: what of an entry has to be read. */
  constructor(
    session: Queryable,
    destination: Destination,
    route: Route,
    survey: Survey,
    attributes: readonly string[],
  ) {
    this.#session = session;
    this.#destination = destination;
    this.#route = route;
    this.#survey = survey;
    this.#attributes = attributes;
    this.#context = { mapping: route.mapping, target: destination.target, secret: destination.secret };
  }

  /** The desired states of keys of which the entries were seen, as far as a glance tells; for `doubtful`. */
  async glimpse(entries: ReadonlyMap<string, RemoteState>): Promise<readonly Glimpse[]> {
    this.#limits ??= await readLimits(this.#session);
    return await glimpse(this.#session, this.#route, [...entries.keys()], this.#limits);
  }

  /** Those of them that are not surely as they should be. Asks nobody. */
  doubtful(entries: ReadonlyMap<string, RemoteState>, glimpses: readonly Glimpse[]): Map<string, RemoteState> {
    const right = keysAsDesired(glimpses, entries, this.#route.mapping, (name) => this.#survey.normalise(name));
    return new Map([...entries].filter(([key]) => !right.has(key)));
  }

  /** The drift of keys of which the entries were seen. */
  async ofSeen(entries: ReadonlyMap<string, RemoteState>): Promise<Drift[]> {
    const found: Drift[] = [];
    for await (const { loaded, unloadable } of loadUnclaimed(this.#session, this.#route, [...entries.keys()])) {
      const members = await this.#members(loaded);
      const drifts = loaded.map((item) => {
        const { key } = item.claimed;
        return judge(item, entries.get(key) ?? 'absent', members.get(key), this.#context);
      });
      found.push(...drifts.filter((drift) => drift !== undefined), ...unloadable.map(toDrift));
    }
    return found;
  }

  /**
   * The drift of keys of which no entry was seen. Each entry that a link tells of is looked for by itself: it may have
   * been moved out of what is listed, or have lost what it is listed by. For keys without a link, entries are looked for
   * that match, or stand in their place.
   */
  async ofUnseen(wanted: readonly Wanted[]): Promise<Drift[]> {
    const keys = wanted.map(({ key }) => key);
    const found: Drift[] = [];
    for await (const { loaded, unloadable } of loadUnclaimed(this.#session, this.#route, keys)) {
      found.push(...(await this.#look(loaded)), ...unloadable.map(toDrift));
    }
    return found;
  }

  async #look(loaded: readonly Loaded[]): Promise<Drift[]> {
    const due = loaded.filter(({ desired }) => desired && !desired.released);
    const members = await this.#members(due);
    const unlinked = due.filter(({ link }) => !link);
    const candidates = await findCandidates(this.#destination, this.#route, this.#survey, unlinked);
    const drifts = await concurrently(due, this.#destination.concurrency, (item) => {
      const { key } = item.claimed;
      return this.#tryRead(key, () =>
        item.link
          ? this.#ofLinked(item, item.link, members.get(key))
          : this.#ofUnlinked(item, members.get(key), candidates.get(key)),
      );
    });
    const found = drifts.filter((drift) => drift !== undefined);
    const owned = found.flatMap(({ what, remoteId }) => (what === 'unlinked' ? (remoteId ?? []) : []));
    await this.#survey.give(owned.map((remoteId) => this.#survey.normalise(remoteId)));
    return found;
  }

  async #ofLinked(
    item: Loaded,
    { remoteId, stableId }: NonNullable<Loaded['link']>,
    members: Members | undefined,
  ): Promise<Drift | undefined> {
    const found = await this.#read({ remoteId, ...(stableId ? { stableId } : {}) });
    if (!found) return judge(item, 'absent', members, this.#context);
    if (!stableId || !found.stableId || found.stableId === stableId) return judge(item, found, members, this.#context);
    const drift = judge(item, 'absent', members, this.#context);
    return drift && { ...drift, note: 'another entry stands in its place' };
  }

  async #ofUnlinked(
    item: Loaded,
    members: Members | undefined,
    { matching, inPlace }: Candidates = { matching: [], inPlace: undefined },
  ): Promise<Drift | undefined> {
    const [match, ...others] = matching;
    const candidate = match ?? inPlace;
    if (!candidate) return judge(item, 'absent', members, this.#context);
    const { place, owner } = candidate;
    const live = candidate.entry ?? (await this.#read({ remoteId: place.remoteId })) ?? 'absent';
    const drift = judge(item, live, members, this.#context);
    if (drift?.what !== 'unlinked') return drift;
    const stuck = { ...drift, attributes: [], repairable: false };
    if (others.length > 0) {
      const names = matching.map(({ place }) => place.remoteId).join(' and ');
      return { ...stuck, remoteId: null, note: `${matching.length} entries match: ${names}` };
    }
    if (owner !== undefined) return { ...stuck, what: 'missing', note: `the entry that matches belongs to ${owner}` };
    if (match) return { ...drift, note: 'it matches' };
    if (place.createdByUs === false) return { ...stuck, note: 'somebody else created the entry in its place' };
    return { ...drift, normalised: this.#survey.normalise(place.remoteId) };
  }

  #read(place: { readonly remoteId: string; readonly stableId?: string }): Promise<RemoteState | undefined> {
    const { target, timeout } = this.#destination;
    return target.read?.(place, this.#attributes, AbortSignal.timeout(timeout)) ?? Promise.resolve(undefined);
  }

  /** An entry that cannot be read is a finding; a target that cannot be read is a failure. */
  async #tryRead(key: string, look: () => Promise<Drift | undefined>): Promise<Drift | undefined> {
    try {
      return await look();
    } catch (error) {
      if (!(error instanceof TargetError) || error.kind === 'unavailable' || error.kind === 'misconfigured')
        throw error;
      return unreadable(key, error.message);
    }
  }

  #members(loaded: readonly Loaded[]): Promise<Map<string, Members>> {
    const holders = loaded.filter(({ desired }) => desired && !desired.released);
    return wantedMembers(
      this.#session,
      this.#route,
      holders.map(({ claimed }) => claimed.key),
    );
  }
}

function toDrift({ claimed, reason }: Unloadable): Drift {
  return unreadable(claimed.key, reason);
}
