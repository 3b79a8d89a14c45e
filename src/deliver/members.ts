import type { AttributeChange, Attributes, Target } from '../targets/target.ts';
import type { Member, Members } from './references.ts';

/** What stands in a reference attribute that has no member. */
export interface ReferencePolicy {
  readonly refEntity: string;
  readonly placeholder: string;
}

/** How the members of one holder are to be written, and what will stand in its entry then. */
export interface MemberPlan {
  readonly changes: readonly AttributeChange[];
  readonly settled: readonly Member[];
}

type Policies = ReadonlyMap<string, ReferencePolicy>;

const none: Members = { members: [], counts: new Map() };

/** The values of the reference attributes of an entry that is created. */
export function initialMembers(
  policies: Policies,
  members: Members = none,
): { attributes: Attributes; settled: readonly Member[] } {
  const attributes = Object.fromEntries(
    [...policies].map(([attribute, { placeholder }]) => {
      const values = members.members.flatMap((member) =>
        member.attribute === attribute && member.wanted !== null ? [member.wanted] : [],
      );
      return [attribute, values.length > 0 ? values : [placeholder]];
    }),
  );
  return { attributes, settled: members.members };
}

/** The changes of an entry of which we know what stands in it: single values, however large the group. */
export function changedMembers(policies: Policies, members: Members = none): MemberPlan {
  const changes = [...policies].flatMap(([attribute, { placeholder }]): AttributeChange[] => {
    const differing = members.members.filter(
      (member) => member.attribute === attribute && member.wanted !== member.applied,
    );
    const counts = members.counts.get(attribute) ?? { applied: 0, wanted: 0 };
    const added = differing.flatMap(({ wanted }) => wanted ?? []);
    const removed = differing.flatMap(({ applied }) => applied ?? []);
    if (counts.applied > 0 && counts.wanted === 0) added.push(placeholder);
    if (counts.applied === 0 && counts.wanted > 0) removed.push(placeholder);
    return valueChanges(attribute, added, removed);
  });
  return { changes, settled: members.members };
}

/** The changes of an entry that was read: `members` must hold every member. */
export function comparedMembers(
  policies: Policies,
  members: Members = none,
  live: Attributes,
  target: Target,
): MemberPlan {
  const changes = [...policies].flatMap(([attribute, { placeholder }]): AttributeChange[] => {
    const wanted = members.members.flatMap((member) =>
      member.attribute === attribute && member.wanted !== null ? [member.wanted] : [],
    );
    const values = wanted.length > 0 ? wanted : [placeholder];
    const present = (live[attribute] ?? []).filter((value) => typeof value === 'string');
    const there = new Set(present.map((value) => target.normalise(value)));
    const right = new Set(values.map((value) => target.normalise(value)));
    return valueChanges(
      attribute,
      values.filter((value) => !there.has(target.normalise(value))),
      present.filter((value) => !right.has(target.normalise(value))),
    );
  });
  return { changes, settled: members.members };
}

/** Adding comes first: an entry that must have a member has one at every moment. */
function valueChanges(attribute: string, added: readonly string[], removed: readonly string[]): AttributeChange[] {
  const changes: AttributeChange[] = [
    { attribute, action: 'add', values: added },
    { attribute, action: 'delete', values: removed },
  ];
  return changes.filter(({ values }) => values.length > 0);
}
