import type { Queryable } from '../database/transaction.ts';
import { handOver } from './hand-over.ts';
import type { Loaded } from './load.ts';
import type { Outcome } from './outcome.ts';
import type { Plan } from './plan.ts';
import type { Destination } from './route.ts';

/** The outcome of a plan of which nothing goes out. */
export async function conclude(
  database: Queryable,
  { name, target }: Destination,
  token: string,
  { claimed, link }: Loaded,
  plan: Exclude<Plan, { do: 'write' }>,
): Promise<Outcome> {
  const { entity, key } = claimed;
  const remoteId = link?.remoteId ?? null;
  switch (plan.do) {
    case 'settle': {
      const put = plan.link && plan.link !== 'leave' ? { ...plan.link, stableId: link?.stableId ?? null } : null;
      const leave = plan.link === 'leave';
      const journal =
        plan.operation !== 'none' || claimed.unsure
          ? { journal: { operation: plan.operation, result: 'done' as const, remoteId } }
          : {};
      const kept = leave ? link : put;
      // A sure key too may have wished for another id, before its target went away and its change was taken back.
      const reserved = kept ? [target.normalise(kept.remoteId)] : [];
      return {
        entity,
        key,
        outcome: 'done',
        ...(leave ? {} : { link: put }),
        reserved,
        members: plan.members,
        ...(plan.holds ? { holds: plan.holds } : {}),
        ...journal,
      };
    }
    case 'defer':
      return { entity, key, outcome: 'again', absent: true, dueIn: plan.seconds };
    case 'hand over':
      // The delivery is gone with its entry, so that it is no longer ours to settle; whoever waited for it is told.
      if (await handOver(database, name, token, { entity, key }, plan.to)) return { entity, key, outcome: 'done' };
      return { entity, key, outcome: 'again', absent: true, dueIn: 1 };
    case 'park': {
      const { kind, reason } = plan;
      return {
        entity,
        key,
        outcome: 'park',
        error: { kind, message: reason },
        journal: { operation: 'none', result: 'parked', remoteId },
      };
    }
  }
}
