/** Making a failing history smaller, so that a person can see why it fails. */
import type { History } from './history.ts';

/** Histories that are the given one with something left out, those first that leave out most. */
export function* smaller(history: History): Generator<History> {
  const { applications, mishaps, acts, conduct } = history;
  for (const fewer of without(applications, 1)) yield { ...history, applications: fewer };
  for (const fewer of without(mishaps, 0)) yield { ...history, mishaps: fewer };
  for (const fewer of without(acts, 0)) yield { ...history, acts: fewer };
  if (conduct.lists !== 'ldap') yield { ...history, conduct: { ...conduct, lists: 'ldap' } };
  for (const part of ['guarded', 'stepwise', 'ordered', 'inhabited'] as const)
    if (conduct[part]) yield { ...history, conduct: { ...conduct, [part]: false } };
  for (const [index, transactions] of applications.entries())
    for (const fewer of without(transactions, 1)) yield { ...history, applications: applications.with(index, fewer) };
  if (history.daemons > 1) yield { ...history, daemons: 1 };
  if (history.slots > 1) yield { ...history, slots: 1 };
  if (history.targets > 2) yield { ...history, targets: 2 };
  if (history.latency > 0) yield { ...history, latency: 0 };
  for (const [index, transactions] of applications.entries())
    for (const [place, transaction] of transactions.entries())
      for (const changes of without(transaction.changes, 1))
        yield {
          ...history,
          applications: applications.with(index, transactions.with(place, { ...transaction, changes })),
        };
}

/** The list without a half of it, a quarter, … one; no shorter than `least`. */
function* without<T>(list: readonly T[], least: number): Generator<T[]> {
  for (let size = Math.ceil(list.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2))
    for (let from = 0; from < list.length; from += size) {
      const fewer = list.toSpliced(from, size);
      if (fewer.length >= least && fewer.length < list.length) yield fewer;
    }
}

/**
 * The smallest history found that still fails, going on from each smaller one that does, as long as `goOn` says so
 * before each try.
 */
export async function shrink(
  history: History,
  fails: (smaller: History) => Promise<boolean>,
  goOn: () => boolean,
): Promise<History> {
  for (let smallest = history; ; ) {
    let next: History | undefined;
    for (const candidate of smaller(smallest)) {
      if (!goOn()) return smallest;
      if (!(await fails(candidate))) continue;
      next = candidate;
      break;
    }
    if (!next) return smallest;
    smallest = next;
  }
}
