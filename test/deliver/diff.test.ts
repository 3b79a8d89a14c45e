import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Policy } from '../../src/config/policies.ts';
import { diffLink, diffLive, replaceAll } from '../../src/deliver/diff.ts';
import { type Stored, toStored } from '../../src/deliver/stored.ts';
import {
  type AttributeChange,
  type Attributes,
  type RemoteState,
  TargetError,
  type Value,
} from '../../src/targets/target.ts';
import { ScriptedTarget } from './scripted-target.ts';
import { mapping, secret } from './situation.ts';

const mapped = mapping();
const target = new ScriptedTarget();
const stored = (attributes: Attributes) => toStored(attributes, mapped, secret);
const fromLink = (desired: Attributes, link: Stored, more = mapped) => diffLink(desired, link, more, secret);
const live = (attributes: Attributes, more: Partial<RemoteState> = {}): RemoteState => ({
  remoteId: 'uid=ada',
  attributes,
  ...more,
});
const fromLive = (desired: Attributes, entry: RemoteState, link?: Attributes, more = mapped) =>
  diffLive(desired, entry, link && { attributes: stored(link) }, more, { target, secret });

/** An entry with these attributes, after the changes. */
function applied(before: Attributes, changes: readonly AttributeChange[]): Attributes | undefined {
  const trial = new ScriptedTarget();
  trial.plant('uid=ada', before);
  trial.perform({ operation: 'update', entity: 'person', remoteId: 'uid=ada', changes });
  return trial.entry('uid=ada');
}

describe('the changes from what was last applied', () => {
  test('are none where nothing changed, in whatever order the values come', () => {
    expect(fromLink({ cn: ['Ada'], mail: ['a@x', 'b@x'] }, stored({ mail: ['b@x', 'a@x'], cn: ['Ada'] }))).toEqual([]);
  });

  test('replace only the attributes that differ', () => {
    expect(fromLink({ cn: ['Ada'], mail: ['a@x', 'c@x'] }, stored({ cn: ['Ada'], mail: ['a@x', 'b@x'] }))).toEqual([
      { attribute: 'mail', action: 'replace', values: ['a@x', 'c@x'] },
    ]);
  });

  test('clear an attribute that is no longer desired', () => {
    expect(fromLink({ cn: ['Ada'] }, stored({ cn: ['Ada'], mail: ['a@x'] }))).toEqual([
      { attribute: 'mail', action: 'replace', values: [] },
    ]);
  });

  test('leave an attribute alone that was taken out of the mapping', () => {
    expect(fromLink({ cn: ['Ada'] }, stored({ cn: ['Ada'], title: ['Countess'] }))).toEqual([]);
  });

  test('clear what the view lost, where the mapping is whatever the view has', () => {
    const whatever = mapping({ attributes: undefined });
    expect(fromLink({ cn: ['Ada'] }, stored({ cn: ['Ada'], title: ['Countess'] }), whatever)).toEqual([
      { attribute: 'title', action: 'replace', values: [] },
    ]);
  });

  test('count case, since people see it', () => {
    expect(fromLink({ cn: ['ada'] }, stored({ cn: ['Ada'] }))).toEqual([
      { attribute: 'cn', action: 'replace', values: ['ada'] },
    ]);
  });

  test('find a new secret by its hash alone, and send the secret', () => {
    expect(fromLink({ userPassword: ['new'] }, stored({ userPassword: ['old'] }))).toEqual([
      { attribute: 'userPassword', action: 'replace', values: ['new'] },
    ]);
    expect(fromLink({ userPassword: ['same'] }, stored({ userPassword: ['same'] }))).toEqual([]);
  });

  test('find a change in a value that is too long to be kept', () => {
    const long = 'x'.repeat(300);
    expect(fromLink({ cn: [long] }, stored({ cn: [long] }))).toEqual([]);
    expect(fromLink({ cn: [`${long}y`] }, stored({ cn: [long] }))).toEqual([
      { attribute: 'cn', action: 'replace', values: [`${long}y`] },
    ]);
  });

  test('tell a text from the bytes that look like it', () => {
    expect(fromLink({ cn: ['AQID'] }, stored({ cn: [{ base64: 'AQID' }] }))).toHaveLength(1);
  });

  test('add and delete single values of a merged attribute', () => {
    expect(fromLink({ objectClass: ['person', 'mailUser'] }, stored({ objectClass: ['person', 'guest'] }))).toEqual([
      { attribute: 'objectClass', action: 'add', values: ['mailUser'] },
      { attribute: 'objectClass', action: 'delete', values: ['guest'] },
    ]);
  });
});

describe('the changes from a live entry', () => {
  test('are none where it only differs in case and we did not write it', () => {
    expect(fromLive({ cn: ['Ada'] }, live({ cn: ['ADA'] }))).toEqual([]);
  });

  test('count case where we created the entry, or where the link says that the case was to change', () => {
    const change = [{ attribute: 'cn', action: 'replace', values: ['Ada'] }];
    expect(fromLive({ cn: ['Ada'] }, live({ cn: ['ADA'] }, { createdByUs: true }))).toEqual(change);
    expect(fromLive({ cn: ['Ada'] }, live({ cn: ['ADA'] }), { cn: ['ADA'] })).toEqual(change);
    expect(fromLive({ cn: ['Ada'] }, live({ cn: ['ADA'] }), { cn: ['Ada'] })).toEqual([]);
  });

  test('mend what somebody changed, added or cleared by hand', () => {
    const link = { cn: ['Ada'], mail: ['a@x'] };
    expect(fromLive(link, live({ cn: ['Eve'], mail: ['a@x'], userPassword: ['x'] }), link)).toEqual([
      { attribute: 'cn', action: 'replace', values: ['Ada'] },
      { attribute: 'userPassword', action: 'replace', values: [] },
    ]);
    expect(fromLive(link, live({ cn: ['Ada'] }), link)).toEqual([
      { attribute: 'mail', action: 'replace', values: ['a@x'] },
    ]);
  });

  test('leave attributes alone that are not mapped', () => {
    expect(fromLive({ cn: ['Ada'] }, live({ cn: ['Ada'], description: ['by hand'] }))).toEqual([]);
  });

  test('compare secrets with what is there, not with a hash', () => {
    expect(fromLive({ userPassword: ['new'] }, live({ userPassword: ['new'] }), { userPassword: ['old'] })).toEqual([]);
    expect(fromLive({ userPassword: ['New'] }, live({ userPassword: ['new'] }))).toHaveLength(1);
  });

  test('keep foreign values of a merged attribute and take away only ours', () => {
    const changes = fromLive({ objectClass: ['person'] }, live({ objectClass: ['PERSON', 'theirs', 'ours'] }), {
      objectClass: ['person', 'ours'],
    });
    expect(changes).toEqual([{ attribute: 'objectClass', action: 'delete', values: ['ours'] }]);
  });

  test('add lacking values of a merged attribute only', () => {
    expect(fromLive({ objectClass: ['person', 'more'] }, live({ objectClass: ['Person', 'theirs'] }))).toEqual([
      { attribute: 'objectClass', action: 'add', values: ['more'] },
    ]);
  });
});

const text = fc.oneof(
  fc.constantFrom('a', 'A', 'b', 'B', 'é'),
  fc.string({ minLength: 1, maxLength: 4 }),
  fc.constant('x'.repeat(300)),
);
const value: fc.Arbitrary<Value> = fc.oneof(
  text,
  fc.constantFrom('AQID', 'BAUG').map((base64) => ({ base64 })),
);
/** A target takes no two values that it holds for the same. */
const values = (arbitrary: fc.Arbitrary<Value>) =>
  fc.uniqueArray(arbitrary, {
    minLength: 1,
    maxLength: 4,
    comparator: (left, right) => target.same('cn', [left], [right]),
  });
const entry = fc
  .record({ cn: values(value), mail: values(value), userPassword: values(value) }, { requiredKeys: [] })
  .map((attributes): Attributes => attributes);
const classes = fc.uniqueArray(fc.constantFrom('person', 'mailUser', 'posix'), { minLength: 1 });

describe('whatever is desired', () => {
  test('an entry that holds what the link says holds what is desired after the changes from the link', () => {
    fc.assert(
      fc.property(entry, entry, classes, classes, (before, after, held, wanted) => {
        const from: Attributes = { ...before, objectClass: held };
        const to: Attributes = { ...after, objectClass: wanted };
        const result = applied(from, fromLink(to, stored(from)));
        expect(stored(normal(result))).toEqual(stored(normal(to)));
      }),
    );
  });

  test('any live entry is the same as desired after the changes from it, and a second look finds nothing', () => {
    fc.assert(
      fc.property(
        entry,
        entry,
        classes,
        classes,
        fc.option(entry, { nil: undefined }),
        (present, wanted, held, own, link) => {
          const there: Attributes = { ...present, objectClass: [...held, 'foreign'], title: ['by hand'] };
          const to: Attributes = { ...wanted, objectClass: own };
          const linked = link && { ...link, objectClass: held };
          const result = applied(there, fromLive(to, live(there), linked));
          expect(result?.title).toEqual(['by hand']);
          expect(result?.objectClass).toContain('foreign');
          for (const name of ['cn', 'mail', 'userPassword'])
            expect(target.same(name, result?.[name] ?? [], to[name] ?? [])).toBe(true);
          for (const name of own) expect(result?.objectClass).toContain(name);
          expect(fromLive(to, live(result ?? {}), to)).toEqual([]);
        },
      ),
    );
  });
});

describe('the policy of an attribute', () => {
  const under = (policy: Policy) => mapping({ policies: new Map([['mail', policy]]) });
  const add = (...values: string[]) => ({ attribute: 'mail', action: 'add', values });
  const remove = (...values: string[]) => ({ attribute: 'mail', action: 'delete', values });
  const link = { mail: ['a@x', 'b@x'] };
  const desired = { mail: ['b@x', 'c@x'] };

  test.each<[Policy, object[]]>([
    ['replace', [{ attribute: 'mail', action: 'replace', values: ['b@x', 'c@x'] }]],
    ['initial', []],
    ['add', [add('c@x')]],
    ['merge', [add('c@x'), remove('a@x')]],
  ])('%s decides what is changed, whether the link is believed or the entry was read', (policy, changes) => {
    expect(fromLink(desired, stored(link), under(policy))).toEqual(changes);
    const there = live({ mail: policy === 'replace' ? link.mail : [...link.mail, 'theirs@x'] });
    expect(fromLive(desired, there, link, under(policy))).toEqual(changes);
  });

  test('initial leaves alone what the target made of it, even nothing', () => {
    expect(fromLive({ mail: ['a@x'] }, live({}), { mail: ['a@x'] }, under('initial'))).toEqual([]);
    expect(fromLive({ mail: ['a@x'] }, live({ mail: ['theirs@x'] }), undefined, under('initial'))).toEqual([]);
    expect(fromLink({}, stored({ mail: ['a@x'] }), under('initial'))).toEqual([]);
  });

  test('add and merge name a long value when it is put in, and merge when it is taken out', () => {
    const long = 'x'.repeat(300);
    const merged = under('merge');
    expect(fromLink({ mail: [long] }, {}, merged)).toEqual([add(long)]);
    expect(fromLink({}, toStored({ mail: [long] }, merged, secret), merged)).toEqual([remove(long)]);
  });

  test('add compares secrets by their hashes and merge of objectClass is the target’s own', () => {
    const secrets = mapping({ policies: new Map([['userPassword', 'add']]) });
    const before = toStored({ userPassword: ['one'] }, secrets, secret);
    expect(fromLink({ userPassword: ['one', 'two'] }, before, secrets)).toEqual([
      { attribute: 'userPassword', action: 'add', values: ['two'] },
    ]);
  });
});

describe('whatever somebody else wrote into an attribute, and whatever we wrote before', () => {
  const policy = fc.constantFrom<Policy>('replace', 'initial', 'add', 'merge');
  const list = fc.option(values(value), { nil: [] });
  const has = (list: readonly Value[], value: Value) => list.some((other) => target.same('mail', [value], [other]));
  const without = (list: readonly Value[], others: readonly Value[]) => list.filter((value) => !has(others, value));
  const union = (list: readonly Value[], others: readonly Value[]) => [...list, ...without(others, list)];
  const read = (list: readonly Value[]) => live(list.length > 0 ? { mail: list } : {});
  const wish = (list: readonly Value[]): Attributes => (list.length > 0 ? { mail: list } : {});

  /** What an entry that holds `present` should hold then. */
  const expected = (policy: Policy, present: readonly Value[], ours: readonly Value[], desired: readonly Value[]) =>
    ({
      replace: desired,
      initial: present,
      add: union(present, desired),
      merge: union(without(present, without(ours, desired)), desired),
    })[policy];

  const only = (policy: Policy) => mapping({ attributes: new Set(['mail']), policies: new Map([['mail', policy]]) });

  test('the entry holds what the policy says, the values of others survive, and a second look finds nothing', () => {
    fc.assert(
      fc.property(policy, list, list, list, fc.boolean(), (policy, ours, others, desired, isSure) => {
        const mapped = only(policy);
        // A link that cannot be believed says what never was; one that is, of an attribute that is replaced, says all.
        const present = isSure ? union(ours, policy === 'replace' ? [] : others) : others;
        const link = toStored(wish(ours), mapped, secret);
        const fromEntry = (there: readonly Value[]) =>
          diffLive(wish(desired), read(there), { attributes: link }, mapped, { target, secret });
        const result = isSure
          ? carried(present, diffLink(wish(desired), link, mapped, secret), () => fromEntry(present))
          : carried(present, fromEntry(present));
        expect(target.same('mail', result, expected(policy, present, ours, desired))).toBe(true);
        if (policy !== 'replace') for (const value of without(others, ours)) expect(has(result, value)).toBe(true);
        const next = toStored(wish(desired), mapped, secret);
        expect(diffLink(wish(desired), next, mapped, secret)).toEqual([]);
        expect(diffLive(wish(desired), read(result), { attributes: next }, mapped, { target, secret })).toEqual([]);
      }),
    );
  });

  test('so it does where the target cannot be read and everything is written anew', () => {
    fc.assert(
      fc.property(policy, list, list, list, (policy, ours, others, desired) => {
        const mapped = only(policy);
        const present = union(ours, others);
        const changes = replaceAll(wish(desired), toStored(wish(ours), mapped, secret), mapped, secret);
        const result = changes.reduce<readonly Value[]>((before, { action, values }) => {
          if (action === 'replace') return values;
          return action === 'add' ? union(before, values) : without(before, values);
        }, present);
        expect(target.same('mail', result, expected(policy, present, ours, desired))).toBe(true);
      }),
    );
  });

  /** What stands there after changes; what the target says was made already is worked out from the entry, as a pump does. */
  function carried(
    present: readonly Value[],
    changes: readonly AttributeChange[],
    again: () => readonly AttributeChange[] = () => [],
  ): readonly Value[] {
    try {
      return applied(wish(present), changes)?.mail ?? [];
    } catch (error) {
      if (!(error instanceof TargetError) || error.kind !== 'converged') throw error;
      return applied(wish(present), again())?.mail ?? [];
    }
  }
});

/** The same attributes, without those that have no values, and each in one order. */
function normal(attributes: Attributes = {}): Attributes {
  const sorted = Object.entries(attributes).map(([name, list]): [string, Value[]] => [
    name,
    [...list].sort((left, right) => JSON.stringify(left).localeCompare(JSON.stringify(right))),
  ]);
  return Object.fromEntries(sorted.filter(([, list]) => list.length > 0).sort());
}
