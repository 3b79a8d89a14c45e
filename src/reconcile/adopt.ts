/**
 * Finds out which existing entries are those of identities that have no link: by what the mapping matches, else by their
 * remote id. The target is read completely first; then each such identity's entries are looked for. Links are written only
 * on request and never touch an entry; the replays that follow bring the entries up to date.
 */
import type { LoadedConfig } from '../config/load.ts';
import type { Queryable } from '../database/transaction.ts';
import { concurrently } from '../deliver/concurrently.ts';
import type { Loaded, Unloadable } from '../deliver/load.ts';
import type { Destination, Route } from '../deliver/route.ts';
import type { RemoteState } from '../targets/target.ts';
import { adoptedLink } from './adopted-link.ts';
import { alone, isApplied, isFinding } from './alone.ts';
import { comparedAttributes } from './attributes.ts';
import { type Candidate, type Candidates, findCandidates } from './candidates.ts';
import { loadUnclaimed } from './load-unclaimed.ts';
import { pagesOf } from './pages.ts';
import { type Finding, type Identity, type Pair, Pairing } from './pairing.ts';
import { Survey } from './survey.ts';

/** What was found on one route. */
export interface Adopted {
  readonly target: string;
  readonly entity: string;
  /** Entries. */
  readonly seen: number;
  /** Entries that a link of any entity tells of already. */
  readonly linked: number;
  readonly counts: ReadonlyMap<Finding['verdict'], number>;
  readonly samples: readonly Finding[];
  /** Links that were written. */
  readonly adopted: number;
  /** Why nothing can be said. */
  readonly error: string | null;
}

export interface AdoptOptions {
  /** Write the links of what matched. */
  readonly write: boolean;
  readonly stop: AbortSignal;
  /** Told how many entries were read so far. */
  readonly progress?: (seen: number) => void;
  /** Takes every finding. */
  readonly list?: (findings: AsyncIterable<Finding>) => Promise<void>;
}

/** Adopts on one route. `session`: one connection, not a pool, and not through a transaction pooler. */
export async function adopt(
  session: Queryable,
  loaded: LoadedConfig,
  destination: Destination,
  route: Route,
  options: AdoptOptions,
): Promise<Adopted> {
  const { target, entity } = route;
  const refused = (error: string): Adopted => {
    const nothing = { seen: 0, linked: 0, counts: new Map(), samples: [], adopted: 0 };
    return { target, entity, ...nothing, error };
  };
  return await alone(session, loaded, destination, route, refused, async () => {
    try {
      return await new Adoption(session, loaded, destination, route, options).run();
    } catch (error) {
      if (options.stop.aborted || !isFinding(error)) throw error;
      return refused(error.message);
    }
  });
}

class Adoption {
  readonly #session: Queryable;
  readonly #loaded: LoadedConfig;
  readonly #destination: Destination;
  readonly #route: Route;
  readonly #options: AdoptOptions;
  #attributes: readonly string[] = [];

  constructor(session: Queryable, loaded: LoadedConfig, destination: Destination, route: Route, options: AdoptOptions) {
    this.#session = session;
    this.#loaded = loaded;
    this.#destination = destination;
    this.#route = route;
    this.#options = options;
  }

  async run(): Promise<Adopted> {
    const { target, entity } = this.#route;
    this.#attributes = await comparedAttributes(this.#session, this.#loaded.config, this.#route);
    const survey = await Survey.open(this.#session, this.#destination.target, this.#route);
    const pairing = await Pairing.open(this.#session);
    try {
      const seen = await this.#read(survey);
      const linked = seen - (await survey.countEntries());
      for await (const keys of survey.unseen()) {
        this.#options.stop.throwIfAborted();
        const unlinked = keys.filter(({ linked }) => !linked).map(({ key }) => key);
        for await (const { loaded, unloadable } of loadUnclaimed(this.#session, this.#route, unlinked))
          await this.#pair(survey, pairing, loaded, unloadable);
      }
      await pairing.judge();
      await this.#options.list?.(pairing.findings());
      const summary = await pairing.summary();
      const error = (await isApplied(this.#session, this.#loaded))
        ? null
        : 'another configuration was applied meanwhile';
      const adopted = this.#options.write && error === null ? await pairing.write(target, entity) : 0;
      return { target, entity, seen, linked, ...summary, adopted, error };
    } finally {
      await pairing.close().catch(() => {}); // their tables end with the session
      await survey.close().catch(() => {});
    }
  }

  async #read(survey: Survey): Promise<number> {
    let seen = 0;
    for await (const page of pagesOf(this.#destination, this.#route, [], this.#options.stop)) {
      await survey.account(page);
      seen += page.length;
      this.#options.progress?.(seen);
    }
    return seen;
  }

  async #pair(
    survey: Survey,
    pairing: Pairing,
    loaded: readonly Loaded[],
    unloadable: readonly Unloadable[],
  ): Promise<void> {
    const due = loaded.filter(({ desired, link }) => desired && !desired.released && !link);
    const candidates = await findCandidates(this.#destination, this.#route, survey, due);
    const pairs = await concurrently(due, this.#destination.concurrency, (item) =>
      this.#pairsOf(survey, item, candidates.get(item.claimed.key)),
    );
    // What matches may stand outside of what was read.
    await survey.account(
      [...candidates.values()].flatMap(({ matching }) =>
        matching.flatMap(({ entry, owner }) => (entry && owner === undefined ? [entry] : [])),
      ),
    );
    const unreadable = unloadable.map(
      ({ claimed: { key }, reason }): Identity => ({ key, remoteId: null, readable: false, note: reason }),
    );
    const identities = due.map((item): Identity => {
      const { key } = item.claimed;
      const remoteId = item.desired?.remoteId ?? null;
      return { key, remoteId, readable: remoteId !== null, note: noteOf(item, candidates.get(key)) };
    });
    await pairing.add([...identities, ...unreadable], pairs.flat());
  }

  async #pairsOf(survey: Survey, item: Loaded, candidates: Candidates | undefined): Promise<Pair[]> {
    const { key } = item.claimed;
    const pairs: Pair[] = [];
    for (const { place, entry, owner } of eligible(item, candidates)) {
      if (owner !== undefined) continue;
      const { remoteId, stableId } = place;
      const pair = { key, normalised: survey.normalise(remoteId), remoteId, stableId };
      if (!this.#options.write) pairs.push({ ...pair, link: null });
      else {
        const live = entry ?? (await this.#readEntry(remoteId));
        if (live)
          pairs.push({ ...pair, stableId: live.stableId ?? null, link: adoptedLink(item, live, this.#context) });
      }
    }
    return pairs;
  }

  get #context() {
    const { target, secret } = this.#destination;
    return { mapping: this.#route.mapping, target, secret };
  }

  async #readEntry(remoteId: string): Promise<RemoteState | undefined> {
    const { target, timeout } = this.#destination;
    return target.read?.({ remoteId }, this.#attributes, AbortSignal.timeout(timeout));
  }
}

/** Entries by what the mapping matches; by their place only where it matches nothing for this key. */
function eligible({ desired }: Loaded, candidates: Candidates | undefined): readonly Candidate[] {
  if (!candidates || !desired || desired.remoteId === null) return [];
  if (desired.match !== null) return candidates.matching;
  return candidates.inPlace ? [candidates.inPlace] : [];
}

function noteOf({ desired }: Loaded, candidates: Candidates | undefined): string | null {
  if (!desired || desired.remoteId === null) return 'a column in the template of its remote id is NULL or empty';
  if (!candidates || desired.match === null) return null;
  const taken = candidates.matching.find(({ owner }) => owner !== undefined);
  if (taken) return `the entry that matches, ${taken.place.remoteId}, belongs to ${taken.owner}`;
  const other = candidates.matching.length === 0 && candidates.inPlace;
  return other ? 'an entry stands under its remote id, but does not match' : null;
}
