/**
 * The LDIF flow of a random history, applied with ldapmodify to one directory, gives the same entries as the `ldap` target
 * gives another, told the same.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { escapeValue } from '../../../src/targets/ldap/dn.ts';
import type { LdapTarget } from '../../../src/targets/ldap/target.ts';
import { type Attributes, type Change, TargetError, type Value } from '../../../src/targets/target.ts';
import { createDirectory, type Directory } from '../../setup/directory.ts';
import { createLdapTarget } from '../ldap/bench.ts';
import { createFlow, flowConfig, patience } from './bench.ts';

let followed: Directory;
let applied: Directory;
let ldap: LdapTarget;
beforeAll(async () => {
  [followed, applied] = await Promise.all([createDirectory(), createDirectory()]);
  ldap = createLdapTarget(followed);
});
afterAll(async () => {
  await ldap.close();
  await Promise.all([followed.close(), applied.close()]);
});

const suffix = 'dc=example,dc=org';
const names = ['ada', 'Ada', 'd’Este, Anna', 'a+b', ' #x ', '"q"', 'x\\y', 'José', 'a<b>;c', '='];
const texts = [
  'x',
  'X',
  'two\nlines',
  ': colon',
  '<angle',
  'ends ',
  'é',
  '日本',
  'a'.repeat(200),
  'ü'.repeat(90),
  '-',
  '#',
];

const name = fc.constantFrom(...names);
const unit = fc.constantFrom('people', 'groups');
const texted = fc.subarray(texts, { maxLength: 3 });
const bytes = fc
  .uint8Array({ minLength: 1, maxLength: 60 })
  .map((array) => ({ base64: Buffer.from(array).toString('base64') }));

/** What somebody is to have beside a name. */
const person = fc.record({
  cn: fc.subarray(texts, { minLength: 1, maxLength: 3 }),
  sn: fc.subarray(texts, { minLength: 1, maxLength: 1 }),
  description: texted,
  title: fc.subarray(['a', 'B', 'c d'], { maxLength: 2 }),
  jpegPhoto: fc.array(bytes, { maxLength: 1 }),
});
const place = fc.tuple(name, unit).map(([uid, ou]) => `uid=${escapeValue(uid)},ou=${ou},${suffix}`);
const group = name.map((cn) => `cn=${escapeValue(cn)},ou=groups,${suffix}`);
/** Attributes are replaced as a whole, or value by value, or added and taken out without a look (photos only as a whole: they have no equality matching rule). */
const how = fc.constantFrom('replace' as const, 'by value' as const, 'blindly' as const);
/** Of a rename: where its second half is refused, a directory has renamed the entry; a flow has done nothing. */
const looking = fc.constantFrom('replace' as const, 'by value' as const);
type How = 'replace' | 'by value' | 'blindly';

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('create' as const), at: place, given: person }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('write' as const), at: place, given: person, how }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('rename' as const), at: place, to: place, given: person, how: looking }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('remove' as const), at: place }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('swap' as const), at: place, to: place }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('gather' as const), at: group, members: fc.subarray(names) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Tells both the same, and finds that both say the same of it. */
async function play(history: readonly Step[], flow: ReturnType<Awaited<ReturnType<typeof createFlow>>['target']>) {
  const tell = async (change: Change): Promise<boolean> => {
    const outcomes = await Promise.all([ldap.apply(change, patience()), flow.apply(change, patience())].map(kindOf));
    expect(outcomes[1]).toBe(outcomes[0]);
    return outcomes[0] === 'done';
  };
  const rename = (entity: string, from: string, to: string, changes: Update['changes']) =>
    tell({ operation: 'update', entity, remoteId: from, renameTo: to, changes });
  for (const now of history) {
    if (now.do === 'create') await tell(create('person', now.at, { objectClass: ['inetOrgPerson'], ...now.given }));
    if (now.do === 'remove') await tell({ operation: 'remove', entity: 'person', remoteId: now.at });
    if (now.do === 'write' || now.do === 'rename') {
      const there = await flow.read({ remoteId: now.at }, Object.keys(now.given), patience());
      const changes = changesTo(there?.attributes ?? {}, now.given, now.how);
      // Nobody is told to give an entry the name that he says it has: where it differs in case, a directory would keep its own.
      if (now.do === 'rename' && now.to !== now.at) await rename('person', now.at, now.to, changes);
      else await tell({ operation: 'update', entity: 'person', remoteId: now.at, changes });
    }
    if (now.do === 'swap' && now.at !== now.to && (await rename('person', now.at, flow.aside(now.at, now.to), []))) {
      const isFree = await rename('person', now.to, now.at, []);
      await rename('person', flow.aside(now.at, now.to), isFree ? now.to : now.at, []);
    }
    if (now.do === 'gather') {
      const member = [...now.members.map((uid) => `uid=${escapeValue(uid)},ou=people,${suffix}`), 'cn=nobody'];
      const isNew = await tell(create('group', now.at, { objectClass: ['groupOfNames'], member }));
      const there = isNew ? undefined : await flow.read({ remoteId: now.at }, ['member'], patience());
      const changes = changesTo(there?.attributes ?? {}, { member }, 'by value');
      if (there) await tell({ operation: 'update', entity: 'group', remoteId: now.at, changes });
    }
  }
}

type Update = Extract<Change, { operation: 'update' }>;

const create = (entity: string, remoteId: string, given: Attributes): Change => ({
  operation: 'create',
  entity,
  remoteId,
  attributes: Object.fromEntries(Object.entries(given).filter(([, values]) => values.length > 0)),
});

function changesTo(there: Attributes, given: Attributes, how: How): Update['changes'] {
  return Object.entries(given).flatMap(([attribute, values]): Update['changes'] => {
    if (how === 'replace' || attribute === 'jpegPhoto') return [{ attribute, action: 'replace', values }];
    // What is there already, or is not, is refused by both.
    if (how === 'blindly')
      return values.length > 0 ? [{ attribute, action: attribute === 'title' ? 'delete' : 'add', values }] : [];
    const present = there[attribute] ?? [];
    const isIn = (value: Value, others: readonly Value[]) =>
      others.some((other) => ldap.same(attribute, [value], [other]));
    const added = values.filter((value) => !isIn(value, present));
    const deleted = present.filter((value) => !isIn(value, values));
    return [
      ...(added.length > 0 ? [{ attribute, action: 'add' as const, values: added }] : []),
      ...(deleted.length > 0 ? [{ attribute, action: 'delete' as const, values: deleted }] : []),
    ];
  });
}

async function kindOf(made: Promise<unknown>): Promise<string> {
  try {
    await made;
    return 'done';
  } catch (error) {
    if (error instanceof TargetError) return error.kind;
    throw error;
  }
}

/** The entries of a directory, by DN, as sets of values. */
async function entriesOf(directory: Directory) {
  const entries = [...(await directory.entries('(|(uid=*)(cn=*))'))];
  return new Map(
    entries.map(([dn, entry]) => [
      dn,
      Object.fromEntries(Object.entries(entry).map(([attribute, values]) => [attribute, values.toSorted()])),
    ]),
  );
}

async function clear(directory: Directory): Promise<void> {
  const dns = [...(await directory.entries('(|(uid=*)(cn=*))', '1.1')).keys()];
  const records = dns.map((dn) => `dn:: ${Buffer.from(dn).toString('base64')}\nchangetype: delete\n`);
  if (records.length > 0) await directory.modify(records.join('\n'));
}

test('both directories hold the same in the end', { timeout: 120_000 }, async () => {
  let compared = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (history) => {
      const flow = await createFlow();
      try {
        const target = flow.target(flowConfig('ldif'));
        await play(history, target);
        await target.flush(patience());
        for (const text of await flow.texts()) await applied.modify(text);
        const expected = await entriesOf(followed);
        expect(await entriesOf(applied)).toEqual(expected);
        compared += expected.size;
        for (const [dn, { description = [] }] of expected) {
          const state = await target.read({ remoteId: dn }, ['description'], patience());
          expect(state?.attributes.description ?? []).toHaveLength(description.length);
        }
      } finally {
        await flow.close();
        await Promise.all([clear(followed), clear(applied)]);
      }
    }),
    { numRuns: 40 },
  );
  expect(compared).toBeGreaterThan(100);
});

test('a snapshot is what ldapadd makes the same entries of', async () => {
  const flow = await createFlow();
  const target = flow.target(flowConfig('ldif', { content: 'snapshot', name: 'all.ldif' }));
  for (const [at, uid] of names.entries()) {
    if (uid === 'Ada') continue; // the same as ada
    const given = {
      objectClass: ['inetOrgPerson'],
      cn: texts.slice(at, at + 2),
      sn: ['x'],
      jpegPhoto: [{ base64: '/+8A' }],
    };
    const change = create('person', `uid=${escapeValue(uid)},ou=people,${suffix}`, given);
    await Promise.all([ldap.apply(change, patience()), target.apply(change, patience())]);
  }
  await target.flush(patience());
  const [text = ''] = await flow.texts();
  expect(text.split('\n').every((line) => line.length <= 76)).toBe(true);
  await applied.add(text);
  expect(await entriesOf(applied)).toEqual(await entriesOf(followed));
  await Promise.all([clear(followed), clear(applied)]);
  await flow.close();
});
