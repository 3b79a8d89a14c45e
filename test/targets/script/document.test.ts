import { describe, expect, test } from 'vitest';
import { type ScriptMapping, script } from '../../../src/config/script.ts';
import { identityOf } from '../../../src/targets/script/document.ts';
import { request, requestsFor } from '../../../src/targets/script/request.ts';
import type { Attributes, Change } from '../../../src/targets/target.ts';
import { scriptConfig } from './bench.ts';

function mapping(attributes: Readonly<Record<string, unknown>>): ScriptMapping {
  const { person } = script.parse({ type: 'script', entities: { person: { id: '{id}', attributes } } }).entities;
  if (!person) throw new Error('it has a person');
  return person;
}

/** The document of Sesame's manual. */
const manual = {
  concernedTo: '66c22991bdc3c9a7563a9d4f',
  payload: {
    identity: {
      action: 'IDENTITY_UPDATE',
      identity: {
        _id: '66c22991bdc3c9a7563a9d4f',
        metadata: {
          createdBy: 'admin',
          createdAt: '2024-08-18T17:04:17.757Z',
          lastUpdatedBy: 'admin',
          lastUpdatedAt: '2024-08-20T09:45:57.596Z',
        },
        state: 2,
        lifecycle: -1,
        inetOrgPerson: {
          cn: 'DUPONT Alain',
          displayName: 'Alain Dupont',
          facsimileTelephoneNumber: '',
          givenName: 'Alain',
          labeledURI: '',
          mail: 'ad@lmondomaine.com',
          mobile: '06 07 08 09 10',
          postalAddress: '',
          preferredLanguage: '',
          sn: 'DUPONT',
          telephoneNumber: '',
          title: '',
          uid: 'aabbas',
          employeeNumber: '111111',
          employeeType: 'TAIGA',
          departmentNumber: '',
          jpegPhoto: '',
          userCertificate: '',
          userPassword: '',
        },
        additionalFields: {
          objectClasses: ['supannPerson'],
          attributes: {
            supannPerson: {
              supanncivilite: 'M.',
              supannOIDCGenre: 'M.',
              supannPrenomsEtatCivil: 'Alain',
              supannAutreMail: 'ad@monmailpriver.com',
              supannNomdeNaissance: '',
              supannOIDCDatedeNaissance: '',
              supannCodeINSEEPaysDeNaissance: '',
              supannCodeINSEEVilleDeNaissance: '',
              supannListeRouge: '',
              mailForwardingAddress: '',
              supannMailPerso: '',
              supannRoleGenerique: '',
              supannEmpId: 0,
              supannParrainDN: '',
              supannTypeEntiteAffectation: '',
              supannActivite: '',
              supannEmpDateFin: '',
              supannEtablissement: '',
            },
          },
        },
        initState: 0,
        fingerprint: 'b65c62b466b0c401398c9da3ca489a880befc38f049e6dfacb48eded011eff11',
      },
    },
  },
};

/** Attributes and values that make a document: each leaf from a column of its own path. */
function flat(value: object, path: readonly string[] = []): { name: string; as: string; values: string[] }[] {
  return Object.entries(value).flatMap(([key, inner]) => {
    const name = [...path, key].join('.');
    if (Array.isArray(inner)) return [{ name, as: 'list', values: inner }];
    if (typeof inner === 'object' && inner !== null) return flat(inner, [...path, key]);
    const values = inner === '' ? [] : [String(inner)];
    return [{ name, as: typeof inner === 'number' ? 'number' : 'text', values }];
  });
}

describe('the document', () => {
  test("is that of Sesame's manual, number for number, where the mapping names its keys", () => {
    const { _id, ...identity } = manual.payload.identity.identity;
    const leaves = flat(identity);
    const mapped = mapping(Object.fromEntries(leaves.map(({ name, as }) => [name, { from: name, as }])));
    const values: Attributes = Object.fromEntries(leaves.map(({ name, values }) => [name, values]));
    expect(request('IDENTITY_UPDATE', _id, mapped, values).document).toEqual(manual);
  });

  test("has Sesame's own keys, whatever the mapping leaves out", () => {
    const mapped = mapping({ 'inetOrgPerson.cn': '{name}' });
    expect(identityOf(mapped, '42', { 'inetOrgPerson.cn': ['Anna'] })).toEqual({
      _id: '42',
      state: 2,
      initState: 0,
      fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/),
      inetOrgPerson: {
        ...Object.fromEntries(Object.keys(manual.payload.identity.identity.inetOrgPerson).map((key) => [key, ''])),
        cn: 'Anna',
      },
    });
  });

  test('has another fingerprint when anything else in it is another', () => {
    const mapped = mapping({ name: '{name}' });
    const of = (name: string, id = '42') => identityOf(mapped, id, { name: [name] }).fingerprint;
    expect(of('Anna')).toBe(of('Anna'));
    expect(new Set([of('Anna'), of('Maria'), of('Anna', '43')]).size).toBe(3);
  });

  test('holds values as the mapping says: text, number, boolean, list, bytes as base64, nothing as empty text', () => {
    const mapped = mapping({
      text: '{a}',
      number: { from: 'b', as: 'number' },
      boolean: { from: 'c', as: 'boolean' },
      list: { from: 'd', as: 'list' },
      'deep.er.bytes': { from: 'e' },
      nothing: { from: 'f', as: 'number' },
      'deep.list': { from: 'g', as: 'list' },
    });
    const values = {
      ...{ text: ['a "quoted" text\n'], number: ['12345.50'], boolean: ['FALSE'], list: ['x', 'y'] },
      ...{ 'deep.er.bytes': [{ base64: '/9j/' }] },
    };
    const { fingerprint: _, ...identity } = identityOf(mapped, '1', values);
    expect(JSON.parse(JSON.stringify(identity))).toEqual(
      JSON.parse(
        `{"_id": "1", "state": 2, "initState": 0, "text": "a \\"quoted\\" text\\n", "number": 12345.5, "boolean": false,
          "list": ["x", "y"], "deep": {"er": {"bytes": "/9j/"}, "list": []}, "nothing": ""}`,
      ),
    );
  });

  test.each([
    ['number', ['many'], 'attribute x is no number, as the mapping says it is'],
    ['number', [' '], 'attribute x is no number, as the mapping says it is'],
    ['boolean', ['perhaps'], 'attribute x is no boolean, as the mapping says it is'],
    ['text', ['a', 'b'], 'attribute x has 2 values, expected one; several go `as: list`'],
  ])('refuses a value that is no %s, without repeating it', (as, values, message) => {
    const mapped = mapping({ x: { from: 'x', as } });
    expect(() => identityOf(mapped, '1', { x: values })).toThrow(
      expect.objectContaining({ kind: 'rejected', message }),
    );
  });
});

describe('the actions of a change', () => {
  const { person } = scriptConfig().entities;
  const sent = (
    change: Change,
    whole: Parameters<typeof requestsFor>[1],
    createAction = 'IDENTITY_UPDATE' as const,
  ) => {
    if (!person) throw new Error('it has a person');
    return requestsFor(change, whole, person, createAction).map(({ action, document }) => ({ action, ...document }));
  };
  const anna = { 'inetOrgPerson.cn': ['Anna'], lifecycle: ['1'], enabled: ['TRUE'] };
  const identity = (changes: object = {}) =>
    expect.objectContaining({
      _id: '42',
      lifecycle: 1,
      inetOrgPerson: expect.objectContaining({ cn: 'Anna', title: '', userPassword: '' }),
      ...changes,
    });
  const to = { entity: 'person', remoteId: '42' } as const;
  const update = (...changes: [string, readonly string[]][]) => ({
    operation: 'update' as const,
    ...to,
    changes: changes.map(([attribute, values]) => ({ attribute, action: 'replace' as const, values })),
  });

  test('of a creation are one update', () => {
    expect(sent({ operation: 'create', ...to, attributes: anna }, { desired: anna, written: {} })).toEqual([
      {
        action: 'IDENTITY_UPDATE',
        concernedTo: '42',
        payload: { identity: { action: 'IDENTITY_UPDATE', identity: identity() } },
      },
    ]);
  });

  test('of a creation of somebody disabled are an update and that', () => {
    const attributes = { ...anna, enabled: ['FALSE'] };
    const actions = sent({ operation: 'create', ...to, attributes }, { desired: attributes, written: {} });
    expect(actions).toMatchObject([{ action: 'IDENTITY_UPDATE' }, { action: 'IDENTITY_DISABLE', payload: identity() }]);
  });

  test('of any other change are an update of the whole', () => {
    const desired = { ...anna, 'inetOrgPerson.title': ['Dr.'], 'inetOrgPerson.userPassword': ['{x}'] };
    const inetOrgPerson = expect.objectContaining({ cn: 'Anna', title: 'Dr.', userPassword: '{x}' });
    expect(sent(update(['inetOrgPerson.title', ['Dr.']]), { desired, written: anna })).toEqual([
      {
        action: 'IDENTITY_UPDATE',
        concernedTo: '42',
        payload: { identity: { action: 'IDENTITY_UPDATE', identity: identity({ inetOrgPerson }) } },
      },
    ]);
  });

  test('of another lifecycle are an update, then the identity before and after', () => {
    const desired = { ...anna, lifecycle: ['3'] };
    expect(sent(update(['lifecycle', ['3']]), { desired, written: anna })).toMatchObject([
      { action: 'IDENTITY_UPDATE' },
      {
        action: 'IDENTITY_LIFECYCLE_CHANGED',
        concernedTo: '42',
        payload: { before: identity(), after: identity({ lifecycle: 3 }) },
      },
    ]);
  });

  test.each([
    ['IDENTITY_DISABLE', ['FALSE']],
    ['IDENTITY_ENABLE', ['TRUE']],
    ['IDENTITY_ENABLE', []],
  ])('of being enabled or not are an update, then %s', (action, values) => {
    const desired = { ...anna, enabled: values };
    const actions = sent(update(['enabled', values]), { desired, written: anna });
    expect(actions).toMatchObject([{ action: 'IDENTITY_UPDATE' }, { action, concernedTo: '42', payload: identity() }]);
    expect(JSON.stringify(actions)).not.toContain('"enabled"');
  });

  test('of a deprovisioning that disables are that alone, with what was last written', () => {
    const actions = sent(update(['enabled', ['FALSE']]), { written: anna });
    expect(actions).toEqual([{ action: 'IDENTITY_DISABLE', concernedTo: '42', payload: identity() }]);
  });

  test('of a removal are one deletion, with what was last written', () => {
    const actions = sent({ operation: 'remove', ...to }, { written: anna });
    expect(actions).toEqual([{ action: 'IDENTITY_DELETE', concernedTo: '42', payload: identity() }]);
  });

  test('of another id are an update under the new one', () => {
    const renamed = { ...update(['inetOrgPerson.cn', ['Anna']]), renameTo: '43' };
    expect(sent(renamed, { desired: anna, written: anna })).toMatchObject([{ concernedTo: '43' }]);
  });
});
