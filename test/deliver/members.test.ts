import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { changedMembers, comparedMembers, initialMembers, isEmptied } from '../../src/deliver/members.ts';
import type { Member, Members } from '../../src/deliver/references.ts';
import type { AttributeChange } from '../../src/targets/target.ts';
import { ScriptedTarget } from './scripted-target.ts';

const placeholder = 'cn=nobody';
const policies = new Map([['member', { refEntity: 'person', empty: 'placeholder' as const, placeholder }]]);
const target = new ScriptedTarget();

/** `applied → wanted` of one member; null: does not stand there, is not to. */
const member = (refKey: string, applied: string | null, wanted: string | null): Member => ({
  attribute: 'member',
  refEntity: 'person',
  refKey,
  desired: wanted !== null,
  wanted,
  applied,
});

/** Members as they leave the database: counted all, but only those that differ, unless all are asked for. */
function members(all: readonly Member[], whole = false): Members {
  const count = (of: 'applied' | 'wanted') => all.filter((one) => one[of] !== null).length;
  return {
    members: whole ? all : all.filter(({ wanted, applied }) => wanted !== applied),
    counts: new Map([['member', { applied: count('applied'), wanted: count('wanted') }]]),
  };
}

/** What stands in a group of these values after the changes; at no moment may it be empty. */
function group(before: readonly string[], changes: readonly AttributeChange[]): string[] {
  const trial = new ScriptedTarget();
  trial.plant('cn=group', { member: before });
  for (const change of changes) {
    trial.perform({ operation: 'update', entity: 'team', remoteId: 'cn=group', changes: [change] });
    expect(trial.entry('cn=group')?.member).toBeDefined();
  }
  return (trial.entry('cn=group')?.member ?? []).filter((value) => typeof value === 'string').sort();
}

describe('the members of a new group', () => {
  test('are those that have an entry; the others come later', () => {
    const { attributes, settled } = initialMembers(
      policies,
      members([member('1', null, 'uid=a'), member('2', null, null)], true),
    );
    expect(attributes).toEqual({ member: ['uid=a'] });
    expect(settled).toHaveLength(2);
  });

  test('are a placeholder where nobody has an entry yet', () => {
    expect(initialMembers(policies, members([member('1', null, null)], true)).attributes).toEqual({
      member: [placeholder],
    });
    expect(initialMembers(policies).attributes).toEqual({ member: [placeholder] });
  });
});

describe('a group that may be empty', () => {
  const free = new Map([['member', { refEntity: 'person', empty: 'placeholder' as const, placeholder: undefined }]]);

  test('is made without members', () => {
    expect(initialMembers(free).attributes).toEqual({});
  });

  test('loses its last members at once, and gets its first without a placeholder going', () => {
    const emptied = [{ attribute: 'member', action: 'replace', values: [] }];
    const leaving = members([member('1', 'id-a', null), member('2', 'id-b', null)]);
    expect(changedMembers(free, leaving)).toMatchObject({ changes: emptied, settled: leaving.members });
    expect(comparedMembers(free, leaving, { member: ['id-a', 'id-z'] }, target).changes).toEqual(emptied);
    expect(comparedMembers(free, leaving, {}, target).changes).toEqual([]);
    expect(changedMembers(free, members([member('1', null, 'id-a')])).changes).toEqual([
      { attribute: 'member', action: 'add', values: ['id-a'] },
    ]);
  });

  test('has its members compared as the target compares them', () => {
    const exact = Object.assign(new ScriptedTarget(), { normaliseReference: (value: string) => value });
    const own = members([member('1', 'id-a', 'id-a')], true);
    expect(comparedMembers(free, own, { member: ['ID-A'] }, target).changes).toEqual([]);
    expect(comparedMembers(free, own, { member: ['ID-A'] }, exact).changes).toHaveLength(2);
  });
});

describe('the changed members of a group', () => {
  const changes = (...all: readonly Member[]) => changedMembers(policies, members(all)).changes;

  test('are single values, whatever else is in it', () => {
    expect(changes(member('1', 'uid=a', 'uid=a'), member('2', null, 'uid=b'), member('3', 'uid=c', null))).toEqual([
      { attribute: 'member', action: 'add', values: ['uid=b'] },
      { attribute: 'member', action: 'delete', values: ['uid=c'] },
    ]);
  });

  test('are none where nothing changed', () => {
    expect(changes(member('1', 'uid=a', 'uid=a'))).toEqual([]);
    expect(changes()).toEqual([]);
    expect(changedMembers(policies).changes).toEqual([]);
  });

  test('follow a member to its new remote id', () => {
    expect(changes(member('1', 'uid=a', 'uid=b'))).toEqual([
      { attribute: 'member', action: 'add', values: ['uid=b'] },
      { attribute: 'member', action: 'delete', values: ['uid=a'] },
    ]);
  });

  test('put the placeholder in before the last one goes, and take it out after the first one came', () => {
    expect(changes(member('1', 'uid=a', null))).toEqual([
      { attribute: 'member', action: 'add', values: [placeholder] },
      { attribute: 'member', action: 'delete', values: ['uid=a'] },
    ]);
    expect(changes(member('1', null, 'uid=a'))).toEqual([
      { attribute: 'member', action: 'add', values: ['uid=a'] },
      { attribute: 'member', action: 'delete', values: [placeholder] },
    ]);
  });
});

describe('the members of a group that was read', () => {
  const changes = (live: readonly string[], ...all: readonly Member[]) =>
    comparedMembers(policies, members(all, true), { member: live }, target).changes;

  test('are compared by the rules of remote ids', () => {
    expect(changes(['UID=A'], member('1', null, 'uid=a'))).toEqual([]);
  });

  test('lose strangers and gain who lacks, whatever the link says', () => {
    expect(changes(['uid=a', 'uid=stranger'], member('1', null, 'uid=a'), member('2', 'uid=b', 'uid=b'))).toEqual([
      { attribute: 'member', action: 'add', values: ['uid=b'] },
      { attribute: 'member', action: 'delete', values: ['uid=stranger'] },
    ]);
  });

  test('are the placeholder where there is nobody', () => {
    expect(changes([placeholder])).toEqual([]);
    expect(changes(['uid=a'], member('1', 'uid=a', null))).toEqual([
      { attribute: 'member', action: 'add', values: [placeholder] },
      { attribute: 'member', action: 'delete', values: ['uid=a'] },
    ]);
  });
});

describe('a group that keeps its last member', () => {
  const keeping = new Map([['member', { refEntity: 'person', empty: 'keep' as const, placeholder }]]);
  const leave = (...all: readonly Member[]) => changedMembers(keeping, members(all));
  const kept = (refKey: string, applied: string, wanted: string | null = null): Member => ({
    ...member(refKey, applied, wanted),
    kept: true,
  });
  const stays = (refKey: string, applied: string): Member => ({ ...kept(refKey, applied), wanted: applied });
  /** As `members`, but for members that were kept before: they are always told of. */
  const withKept = (...all: readonly Member[]) =>
    changedMembers(keeping, { ...members(all), members: all.filter((one) => one.kept || one.wanted !== one.applied) });

  test('leaves one value in it when all go, and records that it is kept', () => {
    const { changes, settled } = leave(member('1', 'uid=a', null), member('2', 'uid=b', null));
    expect(changes).toEqual([{ attribute: 'member', action: 'delete', values: ['uid=b'] }]);
    expect(settled).toEqual([stays('1', 'uid=a'), member('2', 'uid=b', null)]);
  });

  test('finds nothing to do as long as there is nobody else', () => {
    expect(withKept(kept('1', 'uid=a'))).toEqual({ changes: [], settled: [stays('1', 'uid=a')] });
  });

  test('takes it out when there is another', () => {
    expect(withKept(kept('1', 'uid=a'), member('2', null, 'uid=b'))).toEqual({
      changes: [
        { attribute: 'member', action: 'add', values: ['uid=b'] },
        { attribute: 'member', action: 'delete', values: ['uid=a'] },
      ],
      settled: [member('1', 'uid=a', null), member('2', null, 'uid=b')],
    });
  });

  test('has it for good when it is wanted again', () => {
    expect(withKept(kept('1', 'uid=a', 'uid=a'))).toEqual({ changes: [], settled: [member('1', 'uid=a', 'uid=a')] });
  });

  test('starts with a placeholder, which the first member replaces', () => {
    expect(initialMembers(keeping).attributes).toEqual({ member: [placeholder] });
    expect(leave(member('1', null, 'uid=a')).changes).toEqual([
      { attribute: 'member', action: 'add', values: ['uid=a'] },
      { attribute: 'member', action: 'delete', values: [placeholder] },
    ]);
  });

  test('keeps what stands there when it is read, of ours before that of others', () => {
    const read = (live: readonly string[], ...all: readonly Member[]) =>
      comparedMembers(keeping, members(all, true), { member: live }, target);
    expect(read(['uid=x', 'UID=A'], member('1', 'uid=a', null))).toEqual({
      changes: [{ attribute: 'member', action: 'delete', values: ['uid=x'] }],
      settled: [stays('1', 'uid=a')],
    });
    expect(read(['uid=x']).changes).toEqual([]);
    expect(read([], member('1', 'uid=a', null)).changes).toEqual([
      { attribute: 'member', action: 'add', values: [placeholder] },
    ]);
  });
});

describe('a group that is not there without a member', () => {
  const needing = new Map([['member', { refEntity: 'person', empty: 'delete' as const, placeholder }]]);

  test('counts as empty while none of its members has an entry', () => {
    expect(isEmptied(needing)).toBe(true);
    expect(isEmptied(needing, members([member('1', 'uid=a', null)]))).toBe(true);
    expect(isEmptied(needing, members([member('1', 'uid=a', 'uid=a')]))).toBe(false);
    expect(isEmptied(needing, { members: [member('1', null, 'uid=a')], counts: new Map() })).toBe(false);
    expect(isEmptied(policies)).toBe(false);
  });
});

const state = fc.constantFrom<[string | null, string | null]>(
  [null, null],
  [null, 'x'],
  ['x', null],
  ['x', 'x'],
  ['x', 'y'],
);
const all = fc
  .array(state, { maxLength: 12 })
  .map((states) =>
    states.map(([applied, wanted], index) =>
      member(`${index}`, applied && `uid=${applied}${index}`, wanted && `uid=${wanted}${index}`),
    ),
  );
const standing = (list: readonly Member[], of: 'applied' | 'wanted') => {
  const values = list.flatMap((one) => one[of] ?? []);
  return values.length > 0 ? values.sort() : [placeholder];
};

describe('whoever comes and goes', () => {
  test('a group holds the wanted members after the changes, and never nobody', () => {
    fc.assert(
      fc.property(all, (list) => {
        const { changes } = changedMembers(policies, members(list));
        expect(group(standing(list, 'applied'), changes)).toEqual(standing(list, 'wanted'));
      }),
    );
  });

  test('a group that was read does so too, whatever stood in it', () => {
    fc.assert(
      fc.property(
        all,
        fc.uniqueArray(fc.constantFrom('uid=x0', 'uid=y1', 'uid=z', placeholder), { minLength: 1 }),
        (list, live) => {
          const { changes } = comparedMembers(policies, members(list, true), { member: live }, target);
          expect(group(live, changes)).toEqual(standing(list, 'wanted'));
        },
      ),
    );
  });
});
