import type { ReferencePolicy } from '../config/policies.ts';
import type { AttributeChange, Attributes, Target } from '../targets/target.ts';
import type { Member, Members } from './references.ts';

/** How the members of one holder are to be written, and what will stand in its entry then. */
export interface MemberPlan {
  readonly changes: readonly AttributeChange[];
  readonly settled: readonly Member[];
}

type Policies = ReadonlyMap<string, ReferencePolicy>;

const none: Members = { members: [], counts: new Map() };

/** Whether an entry should not be there, because it has no member in an attribute of which the policy is `delete`. */
export function isEmptied(policies: Policies, members: Members = none): boolean {
  return [...policies].some(([attribute, { empty }]) => empty === 'delete' && wantedIn(members, attribute) === 0);
}

/** The values of the reference attributes of an entry that is created. */
export function initialMembers(
  policies: Policies,
  members: Members = none,
): { attributes: Attributes; settled: readonly Member[] } {
  const attributes = Object.fromEntries(
    [...policies].flatMap(([attribute, { placeholder }]) => {
      const wanted = wantedValues(members, attribute);
      const values = wanted.length > 0 ? wanted : valuesOf(placeholder);
      return values.length > 0 ? [[attribute, values]] : [];
    }),
  );
  return { attributes, settled: recordedMembers(members) };
}

/** The changes of an entry of which we know what stands in it: single values, however large the group. */
export function changedMembers(policies: Policies, members: Members = none): MemberPlan {
  const plans = [...policies].map(([attribute, { empty, placeholder }]): MemberPlan => {
    const own = members.members.filter((member) => member.attribute === attribute);
    const differing = own.filter(({ wanted, applied }) => wanted !== applied);
    const { applied, wanted } = members.counts.get(attribute) ?? { applied: 0, wanted: 0 };
    const last = empty === 'keep' && wanted === 0 ? lastOf(own) : undefined;
    const added = differing.flatMap((member) => member.wanted ?? []);
    const removed = differing.flatMap((member) => (member === last ? [] : (member.applied ?? [])));
    if (applied > 0 && wanted === 0 && !last) {
      if (placeholder === undefined) return { changes: [emptied(attribute)], settled: record(own, last) };
      added.push(placeholder);
    }
    if (applied === 0 && wanted > 0) removed.push(...valuesOf(placeholder));
    return { changes: valueChanges(attribute, added, removed), settled: record(own, last) };
  });
  return together(plans);
}

/** The changes of an entry that was read: `members` must hold every member. */
export function comparedMembers(
  policies: Policies,
  members: Members = none,
  live: Attributes,
  target: Target,
): MemberPlan {
  const plans = [...policies].map(([attribute, { empty, placeholder }]): MemberPlan => {
    const own = members.members.filter((member) => member.attribute === attribute);
    const wanted = wantedValues(members, attribute);
    const normal = (value: string) => (target.normaliseReference ?? target.normalise).call(target, value);
    const present = (live[attribute] ?? []).filter((value) => typeof value === 'string');
    const there = new Map(present.map((value) => [normal(value), value]));
    const stands = ({ applied }: Member) => applied !== null && there.has(normal(applied));
    const keeps = empty === 'keep' && wanted.length === 0;
    const last = keeps ? lastOf(own.filter(stands)) : undefined;
    const left = keeps ? (last?.applied ?? present[0] ?? placeholder) : placeholder;
    const values = wanted.length > 0 ? wanted : valuesOf(left);
    const right = new Set(values.map(normal));
    if (values.length === 0)
      return { changes: present.length > 0 ? [emptied(attribute)] : [], settled: record(own, last) };
    return {
      changes: valueChanges(
        attribute,
        values.filter((value) => !there.has(normal(value))),
        present.filter((value) => !right.has(normal(value))),
      ),
      settled: record(own, last),
    };
  });
  return together(plans);
}

/** Of a group that nobody is a member of any longer: whose value stays in it. */
function lastOf(members: readonly Member[]): Member | undefined {
  const standing = members.filter(({ applied }) => applied !== null);
  return standing.find(({ kept }) => kept) ?? standing[0];
}

/** What is recorded of members when nobody's value stays who is not wanted. */
export function recordedMembers({ members }: Members = none): Member[] {
  return record(members, undefined);
}

/** What is recorded of members; of the last one, that its value stays though it is not wanted. */
function record(members: readonly Member[], last: Member | undefined): Member[] {
  return members.map((member) => {
    const { kept: _, ...rest } = member;
    return member === last ? { ...rest, wanted: member.applied, kept: true } : rest;
  });
}

function together(plans: readonly MemberPlan[]): MemberPlan {
  return { changes: plans.flatMap(({ changes }) => changes), settled: plans.flatMap(({ settled }) => settled) };
}

/** How many members should stand in an attribute. */
function wantedIn(members: Members, attribute: string): number {
  return members.counts.get(attribute)?.wanted ?? wantedValues(members, attribute).length;
}

function wantedValues({ members }: Members, attribute: string): string[] {
  return members.flatMap((member) => (member.attribute === attribute && member.wanted !== null ? [member.wanted] : []));
}

/** Where nothing has to stand in it, whatever stands there goes at once. */
function emptied(attribute: string): AttributeChange {
  return { attribute, action: 'replace', values: [] };
}

function valuesOf(value: string | undefined): string[] {
  return value === undefined ? [] : [value];
}

/** Adding comes first: an entry that must have a member has one at every moment. */
function valueChanges(attribute: string, added: readonly string[], removed: readonly string[]): AttributeChange[] {
  const changes: AttributeChange[] = [
    { attribute, action: 'add', values: added },
    { attribute, action: 'delete', values: removed },
  ];
  return changes.filter(({ values }) => values.length > 0);
}
