import { policyOf } from '../deliver/diff.ts';
import type { Loaded } from '../deliver/load.ts';
import type { Context } from '../deliver/plan.ts';
import { toStored } from '../deliver/stored.ts';
import type { RemoteState, Value } from '../targets/target.ts';

/**
 * The link of an entry that somebody else wrote: what of the desired state it holds already, by the rules of the target,
 * counts as applied, in the letters of the desired state. So the replay that follows writes what really differs, but
 * rewrites nothing for its case or spaces, and of values that are shared with others takes none away.
 */
export function adoptedLink(
  { desired }: Loaded,
  entry: RemoteState,
  { mapping, target, secret }: Context,
): { remoteId: string; attributes: object; disable: object | null } {
  const held = Object.entries(desired?.attributes ?? {}).flatMap(([name, values]): [string, readonly Value[]][] => {
    const present = entry.attributes[name] ?? [];
    if (target.same(name, values, present)) return [[name, values]];
    if (policyOf(mapping, name) === 'replace') return [];
    const shared = values.filter((value) => present.some((other) => target.same(name, [value], [other])));
    return shared.length > 0 ? [[name, shared]] : [];
  });
  const wanted = desired?.remoteId ?? entry.remoteId;
  const inPlace = target.normalise(wanted) === target.normalise(entry.remoteId);
  return {
    remoteId: inPlace ? wanted : entry.remoteId,
    attributes: toStored(Object.fromEntries(held), mapping, secret),
    disable: desired?.disable ?? null,
  };
}
