import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Policy } from '../../src/config/policies.ts';
import type { Mapping } from '../../src/deliver/plan.ts';
import { toStored } from '../../src/deliver/stored.ts';
import { type Glimpse, keysAsDesired } from '../../src/reconcile/as-desired.ts';
import { judge } from '../../src/reconcile/drift.ts';
import type { Attributes, RemoteState, Value } from '../../src/targets/target.ts';
import { ScriptedTarget } from '../deliver/scripted-target.ts';
import { claimed, desired, link, loaded, mapping, secret } from '../deliver/situation.ts';

const target = new ScriptedTarget();
const remoteId = 'uid=ada,ou=people';
const person: Attributes = { cn: ['Ada'], mail: ['a@x', 'b@x'], objectClass: ['person'], userPassword: ['geheim'] };

interface Situation {
  readonly wanted: Attributes;
  readonly written: Attributes;
  readonly linkedPlace: string;
  readonly mapped: Mapping;
}

/** What the database tells of the key, as its statement would. */
function glimpseOf({ wanted, written, linkedPlace, mapped }: Situation): Glimpse {
  const known = toStored(written, mapped, secret);
  const merged = [...mapped.policies].every(
    ([name, policy]) => policy !== 'merge' || JSON.stringify(known[name]) === JSON.stringify(wanted[name]),
  );
  return { key: '1', remoteId, attributes: wanted, inPlace: linkedPlace === remoteId, merged };
}

function isRight(live: RemoteState, situation: Situation): boolean {
  const normalise = (name: string) => target.normalise(name);
  return keysAsDesired([glimpseOf(situation)], new Map([['1', live]]), situation.mapped, normalise).has('1');
}

function driftOf(live: RemoteState, { wanted, written, linkedPlace, mapped }: Situation) {
  const item = loaded({
    claimed: claimed({ unsure: true }),
    desired: desired({ remoteId, attributes: wanted }),
    link: link({ remoteId: linkedPlace, attributes: toStored(written, mapped, secret) }),
  });
  return judge(item, live, undefined, { mapping: mapped, target, secret });
}

const situation = (changes: Partial<Situation> = {}): Situation => ({
  wanted: person,
  written: person,
  linkedPlace: remoteId,
  mapped: mapping(),
  ...changes,
});
const entry = (attributes: Attributes, more: Partial<RemoteState> = {}): RemoteState => ({
  remoteId,
  stableId: 'entry-1',
  attributes,
  ...more,
});

describe('an entry is right at a glance', () => {
  test('if it holds what is desired, in whatever order', () => {
    expect(isRight(entry({ ...person, mail: ['b@x', 'a@x'] }), situation())).toBe(true);
  });

  test('also with classes that others gave it, if ours are those that are desired', () => {
    const live = entry({ ...person, objectClass: ['top', 'person', 'posix'] });
    expect(isRight(live, situation())).toBe(true);
    expect(isRight(live, situation({ written: { ...person, objectClass: ['person', 'posix'] } }))).toBe(false);
  });

  test('also if the server writes its name in another way than we did', () => {
    const live = entry(person, { remoteId: 'UID=Ada,ou=people' });
    expect(target.normalise(live.remoteId)).toBe(target.normalise(remoteId));
    expect(isRight(live, situation())).toBe(true);
    expect(isRight(live, situation({ linkedPlace: 'uid=ADA,ou=people' }))).toBe(false);
  });

  test('but not if anything of it is another', () => {
    for (const attributes of [
      { ...person, cn: ['ada'] },
      { ...person, mail: ['a@x'] },
      { ...person, mail: ['a@x', 'b@x', 'c@x'] },
      { ...person, userPassword: ['bekannt'] },
      { cn: person.cn ?? [], objectClass: person.objectClass ?? [] },
    ])
      expect(isRight(entry(attributes), situation())).toBe(false);
    expect(isRight(entry(person, { remoteId: 'uid=eve,ou=people' }), situation())).toBe(false);
  });

  test('but not if the view has two rows for it, whatever they say', () => {
    const one = glimpseOf(situation());
    const entries = new Map([['1', entry(person)]]);
    const keys = (...glimpses: Glimpse[]) =>
      keysAsDesired(glimpses, entries, mapping(), (name) => target.normalise(name)).size;
    expect(keys(one)).toBe(1);
    expect(keys(one, one)).toBe(0);
    expect(keys(one, { ...one, attributes: null })).toBe(0);
    expect(keys({ ...one, attributes: null }, one)).toBe(0);
    expect(keys(one, one, one)).toBe(0);
  });

  test('but not if it is released, too large, or has no name', () => {
    const glimpses = [
      { ...glimpseOf(situation()), attributes: null },
      { ...glimpseOf(situation()), remoteId: null },
    ];
    for (const glimpse of glimpses)
      expect(keysAsDesired([glimpse], new Map([['1', entry(person)]]), mapping(), String).size).toBe(0);
  });
});

test('whatever is right at a glance, the planner would not write', () => {
  const value = fc.constantFrom<Value>('a', 'A', 'b', 'a ', 'x'.repeat(300), { base64: 'AQID' });
  const values = fc.uniqueArray(value, { maxLength: 3, selector: (one) => JSON.stringify(one) });
  const attributes = fc
    .record({ cn: values, mail: values, objectClass: values, userPassword: values, title: values })
    .map((all): Attributes => Object.fromEntries(Object.entries(all).filter(([, held]) => held.length > 0)));
  const place = fc.constantFrom(remoteId, 'UID=ada,ou=people', 'uid=eve,ou=people');
  const policies = fc
    .record({
      mail: fc.constantFrom<Policy>('replace', 'initial', 'add', 'merge'),
      objectClass: fc.constantFrom<Policy>('merge', 'replace'),
      userPassword: fc.constantFrom<Policy>('replace', 'initial', 'merge'),
    })
    .map((all) => new Map(Object.entries(all)));
  const named = fc.constantFrom(mapping().attributes, undefined);
  /** Something else, but as often as not the same. */
  const or = (same: Attributes) =>
    fc.oneof(
      fc.constant(same),
      attributes.map((other) => ({ ...same, ...other })),
      attributes,
    );
  const any = attributes.chain((wanted) =>
    fc.record({ wanted: fc.constant(wanted), written: or(wanted), live: or(wanted) }),
  );
  let right = 0;
  fc.assert(
    fc.property(
      any,
      place,
      place,
      policies,
      named,
      fc.boolean(),
      (held, at, linkedPlace, policies, attributes, createdByUs) => {
        const { wanted, written, live } = held;
        const one = situation({ wanted, written, linkedPlace, mapped: mapping({ policies, attributes }) });
        const there = entry(live, { remoteId: at, createdByUs });
        if (!isRight(there, one)) return;
        right += 1;
        expect(driftOf(there, one)).toBeUndefined();
      },
    ),
    { numRuns: 2_000 },
  );
  expect(right).toBeGreaterThan(100);
});
