import type { Loaded } from '../deliver/load.ts';
import { findExisting } from '../deliver/look.ts';
import type { Destination, Route } from '../deliver/route.ts';
import type { RemoteState } from '../targets/target.ts';
import type { Place, Survey } from './survey.ts';

/** An existing entry that may be that of a key without a link. */
export interface Candidate {
  readonly place: Place;
  /** Read already, with the attributes that planning compares: where it was found by what the mapping matches. */
  readonly entry?: RemoteState;
  /** Whose it is already, for people. */
  readonly owner?: string;
}

/** What was found for a key. */
export interface Candidates {
  /** Entries that match, by the mapping's `match`. */
  readonly matching: readonly Candidate[];
  /** The entry that stands under the key's remote id and is nobody's. */
  readonly inPlace: Candidate | undefined;
}

/** Looks for existing entries of keys that are in scope and have no link, by key. */
export async function findCandidates(
  destination: Destination,
  route: Route,
  survey: Survey,
  unlinked: readonly Loaded[],
): Promise<Map<string, Candidates>> {
  const matching = await findMatching(destination, route, survey, unlinked);
  const wishes = unlinked.map(({ claimed, desired }) => ({
    key: claimed.key,
    normalised: desired?.remoteId == null ? '' : survey.normalise(desired.remoteId),
  }));
  const places = await survey.entriesAt(wishes.map(({ normalised }) => normalised));
  return new Map(
    wishes.map(({ key, normalised }) => {
      const place = places.get(normalised);
      return [key, { matching: matching.get(key) ?? [], inPlace: place && { place } }];
    }),
  );
}

async function findMatching(
  destination: Destination,
  route: Route,
  survey: Survey,
  unlinked: readonly Loaded[],
): Promise<Map<string, Candidate[]>> {
  const found = route.matches ? await findExisting(destination, route, unlinked) : new Map<string, RemoteState[]>();
  const entries = [...found.values()].flat();
  const owners = await survey.ownersOf(entries);
  const owned = new Map(
    owners.flatMap(({ entity, key }, index) => {
      const entry = entries[index];
      return entry && key !== null ? [[entry, `${entity} ${key}`] as const] : [];
    }),
  );
  return new Map(
    [...found].map(([key, states]) => [
      key,
      states.map((entry) => {
        const owner = owned.get(entry);
        const { remoteId, stableId = null, createdByUs = null } = entry;
        const place = { remoteId, stableId, createdByUs };
        return { place, entry, ...(owner === undefined ? {} : { owner }) };
      }),
    ]),
  );
}
