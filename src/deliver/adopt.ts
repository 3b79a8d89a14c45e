import { type RemoteState, TargetError } from '../targets/target.ts';
import type { Loaded } from './load.ts';
import { findExisting } from './look.ts';
import type { Context, Live, Plan } from './plan.ts';
import { plan } from './planner.ts';
import type { Members } from './references.ts';
import type { Destination, Route } from './route.ts';

/** A key with what is to be done for it. */
export interface Planned {
  readonly loaded: Loaded;
  readonly plan: Plan;
  /** The live entry that it was planned for; left out: nobody looked. */
  readonly live?: Exclude<Live, undefined>;
}

/** A key for which it could not be told whether it has an entry. */
interface Failure {
  readonly loaded: Loaded;
  readonly error: TargetError;
}

/**
 * Plans that would create are planned again for entries that exist already and match, with one search for all of them.
 * Exactly one is adopted; of several nobody but a person can choose.
 */
export async function adopt(
  destination: Destination,
  route: Route,
  plans: readonly Planned[],
  members: ReadonlyMap<string, Members>,
  context: Context,
): Promise<{ plans: readonly Planned[]; failures: readonly Failure[] }> {
  const creates = plans.filter(isCreate).map(({ loaded }) => loaded);
  if (!route.matches || creates.length === 0) return { plans, failures: [] };
  try {
    const existing = await findExisting(destination, route, creates);
    return {
      failures: [],
      plans: plans.map((item) => {
        const [entry, ...others] = isCreate(item) ? (existing.get(item.loaded.claimed.key) ?? []) : [];
        if (!entry) return item;
        if (others.length > 0) return { ...item, plan: ambiguous([entry, ...others]) };
        return { ...item, plan: plan(item.loaded, entry, members.get(item.loaded.claimed.key), context) };
      }),
    };
  } catch (error) {
    if (!(error instanceof TargetError)) throw error;
    return {
      plans: plans.filter((item) => !isCreate(item)),
      failures: creates.map((loaded) => ({ loaded, error })),
    };
  }
}

function isCreate({ plan }: Planned): boolean {
  return plan.do === 'write' && plan.operation === 'create';
}

function ambiguous(entries: readonly RemoteState[]): Plan {
  const reason = `${entries.length} existing entries match: ${entries.map(({ remoteId }) => remoteId).join(' and ')}; make one of them match, then retry`;
  return { do: 'park', kind: 'exists', reason };
}
