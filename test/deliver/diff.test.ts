import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { diffLink, diffLive } from '../../src/deliver/diff.ts';
import { type Stored, toStored } from '../../src/deliver/stored.ts';
import type { AttributeChange, Attributes, RemoteState, Value } from '../../src/targets/target.ts';
import { ScriptedTarget } from './scripted-target.ts';
import { mapping, secret } from './situation.ts';

const mapped = mapping();
const target = new ScriptedTarget();
const stored = (attributes: Attributes) => toStored(attributes, mapped.secret, secret);
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

/** The same attributes, without those that have no values, and each in one order. */
function normal(attributes: Attributes = {}): Attributes {
  const sorted = Object.entries(attributes).map(([name, list]): [string, Value[]] => [
    name,
    [...list].sort((left, right) => JSON.stringify(left).localeCompare(JSON.stringify(right))),
  ]);
  return Object.fromEntries(sorted.filter(([, list]) => list.length > 0).sort());
}
