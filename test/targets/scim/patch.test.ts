/** What a PATCH says, against an independent library that does what it says. */
import fc from 'fast-check';
import { type ScimPatchOperation, scimPatch } from 'scim-patch';
import { describe, expect, test } from 'vitest';
import type { Document, Json } from '../../../src/targets/document.ts';
import { known } from '../../../src/targets/scim/attribute-type.ts';
import { memberOperations, operationsOf, type PatchOperation, type Placed } from '../../../src/targets/scim/patch.ts';
import { placeOf, type Types } from '../../../src/targets/scim/place.ts';
import { changedAll as after, valuesAt } from '../../../src/targets/scim/resource.ts';
import { employeeNumber, manager, workMail } from './bench.ts';

const types: Types = { schema: 'urn:ietf:params:scim:schemas:core:2.0:User', bySchema: new Map(), known };

function placed(
  attribute: string,
  values: readonly string[],
  action: 'replace' | 'add' | 'delete' = 'replace',
): Placed {
  const isReference = attribute === manager || attribute === 'members';
  return { change: { attribute, action, values }, place: placeOf(attribute, undefined, types), isReference };
}

/** By the other library. */
function patched(resource: Document, operations: readonly PatchOperation[]): unknown {
  const copy = {
    schemas: [],
    meta: { resourceType: '', created: new Date(0), lastModified: new Date(0), location: '' },
    ...structuredClone(resource),
  };
  const { schemas: _, meta: __, ...rest } = scimPatch(copy, operations.map(operation), { treatMissingAsAdd: true });
  return rest;
}

function operation({ op, path, value }: PatchOperation): ScimPatchOperation {
  return op === 'remove' ? { op, path, ...(value === undefined ? {} : { value }) } : { op, path, value };
}

const text = fc.constantFrom('a', 'b', 'C', 'a "quoted" one', 'd]e', '\\');
const mail = fc.record({ value: text, type: fc.constantFrom('work', 'home', 'WORK') });
const resource = fc.record(
  {
    displayName: text,
    name: fc.record({ familyName: text, givenName: text }, { requiredKeys: ['givenName'] }),
    active: fc.constantFrom(true, false),
    emails: fc.uniqueArray(mail, { maxLength: 3, minLength: 1, selector: ({ value, type }) => `${value} ${type}` }),
    phoneNumbers: fc.uniqueArray(fc.record({ value: text }), {
      maxLength: 3,
      minLength: 1,
      selector: ({ value }) => value,
    }),
    members: fc.uniqueArray(fc.record({ value: fc.constantFrom('1', '2', '3'), display: text }), {
      minLength: 1,
      selector: ({ value }) => value,
    }),
  },
  { requiredKeys: [] },
);
const single = fc.option(text, { nil: undefined }).map((value) => (value === undefined ? [] : [value]));
const changes = fc
  .record(
    {
      displayName: single,
      'name.familyName': single,
      active: fc.constantFrom(['TRUE'], ['FALSE'], []),
      [workMail]: single,
      phoneNumbers: fc.uniqueArray(text, { maxLength: 3 }),
      [employeeNumber]: single,
      [manager]: single,
    },
    { requiredKeys: [] },
  )
  .map((given) =>
    Object.entries(given).flatMap(([name, values]) => (values === undefined ? [] : [placed(name, values)])),
  );

describe('a PATCH', () => {
  test('makes of any resource what it is to be', () => {
    fc.assert(
      fc.property(resource, changes, (before, given) => {
        const wanted = after(before, given);
        expect(withoutEmpty(patched(before, operationsOf(given, before)))).toEqual(withoutEmpty(wanted));
        for (const { change, place } of given)
          expect(valuesAt(wanted, place).toSorted()).toEqual([...new Set(change.values)].toSorted());
      }),
    );
  });

  test.each(['filter', 'value'] as const)('adds and removes members, by %s', (removal) => {
    const ids = fc.array(fc.constantFrom('1', '2', '3', '4'), { minLength: 1 }).map((all) => [...new Set(all)]);
    fc.assert(
      fc.property(resource, ids, ids, (given, added, removed) => {
        // By values, the other library removes what is the same to the letter.
        const plain = {
          ...given,
          ...(given.members ? { members: given.members.map(({ value }) => ({ value })) } : {}),
        };
        const before: Document = removal === 'value' ? plain : given;
        const changes = [
          placed(
            'members',
            added.filter((id) => !removed.includes(id)),
            'add',
          ),
          placed('members', removed, 'delete'),
        ];
        const there = new Set(valuesAt(before, placeOf('members', undefined, types)));
        // The other library refuses to remove who is not there.
        const sure = changes.map(({ change, ...rest }) => ({
          ...rest,
          change: { ...change, values: change.values.filter((id) => there.has(id) === (change.action === 'delete')) },
        }));
        const requests = memberOperations(
          sure.filter(({ change }) => change.values.length > 0),
          2,
          removal,
        );
        const now = requests.reduce(
          (document: Document, operations) => asDocument(patched(document, operations)),
          before,
        );
        expect(withoutEmpty(now)).toEqual(withoutEmpty(after(before, changes)));
      }),
    );
  });

  test('is told in few words where nothing has to be read', () => {
    const given = [
      placed('displayName', ['Anna']),
      placed('name.familyName', []),
      placed(manager, ['7'], 'add'),
      placed(manager, ['6'], 'delete'),
    ];
    expect(operationsOf(given, undefined)).toEqual([
      { op: 'replace', path: 'displayName', value: 'Anna' },
      { op: 'remove', path: 'name.familyName' },
      { op: 'replace', path: manager.replace('.value', ''), value: { value: '7' } },
    ]);
  });

  test('puts so many members into a request at most', () => {
    const ids = Array.from({ length: 250 }, (_, at) => String(at));
    const sizes = memberOperations(
      [placed('members', ids, 'add'), placed('members', ids, 'delete')],
      100,
      'filter',
    ).map(([first, ...more]) => (Array.isArray(first?.value) ? first.value.length : 1 + more.length));
    expect(sizes).toEqual([100, 100, 50, 100, 100, 50]);
  });
});

describe('what of a list is kept', () => {
  const work = placed(workMail, ['new@example.org']);
  test.each<[string, Json[], Json[]]>([
    [
      'another address',
      [{ value: 'x', type: 'home' }],
      [
        { value: 'x', type: 'home' },
        { value: 'new@example.org', type: 'work' },
      ],
    ],
    [
      'what else is said of it',
      [{ value: 'x', type: 'Work', display: 'X' }],
      [{ value: 'new@example.org', type: 'Work', display: 'X' }],
    ],
  ])('%s', (_, emails, expected) => {
    expect(after({ emails }, [work])).toEqual({ emails: expected });
  });

  test('of an address with parts, the others', () => {
    const street = placed('addresses[type eq "work"].streetAddress', ['Main Street 1']);
    const town = placed('addresses[type eq "work"].locality', ['Bari']);
    const both = after({}, [street, town]);
    expect(both).toEqual({ addresses: [{ type: 'work', streetAddress: 'Main Street 1', locality: 'Bari' }] });
    const one = after(both, [placed('addresses[type eq "work"].streetAddress', [])]);
    expect(one).toEqual({ addresses: [{ type: 'work', locality: 'Bari' }] });
    expect(after(one, [placed('addresses[type eq "work"].locality', [])])).toEqual({});
  });

  test('only one is the primary one', () => {
    const primary = placed('emails[primary eq true].value', ['a']);
    expect(after({ emails: [{ value: 'b', primary: false }] }, [primary])).toEqual({
      emails: [
        { value: 'b', primary: false },
        { primary: true, value: 'a' },
      ],
    });
  });
});

function asDocument(value: unknown): Document {
  return JSON.parse(JSON.stringify(value));
}

/** Whether an empty list, or object, is there or not is all the same (RFC 7643 §2.5). */
function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmpty);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([name, inner]) => [name, withoutEmpty(inner)] as const);
  return Object.fromEntries(
    entries.filter(([, inner]) => !(typeof inner === 'object' && inner !== null && Object.keys(inner).length === 0)),
  );
}
