/** Values as the schema of a service says that they are. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { scim } from '../../../src/config/scim.ts';
import type { Document } from '../../../src/targets/document.ts';
import { describe as describeService } from '../../../src/targets/scim/description.ts';
import { placeOf } from '../../../src/targets/scim/place.ts';
import { valuesAt } from '../../../src/targets/scim/resource.ts';
import { comparable, jsonOf, textOf } from '../../../src/targets/scim/value.ts';

const urn = 'urn:example:schemas:Badge';
const attributes = [
  { name: 'number', type: 'integer' },
  { name: 'weight', type: 'decimal' },
  { name: 'since', type: 'dateTime' },
  { name: 'photo', type: 'binary', multiValued: true },
  { name: 'doors', type: 'string', multiValued: true },
  {
    name: 'owner',
    type: 'complex',
    subAttributes: [
      { name: 'login', type: 'string' },
      { name: 'active', type: 'boolean' },
    ],
  },
  { name: 'label', type: 'string', caseExact: false },
  { name: 'code', type: 'string', caseExact: true },
];
const service = describeService(
  {
    provider: undefined,
    resourceTypes: [{ name: 'Badge', endpoint: '/Badges', schema: urn }],
    schemas: [{ id: urn.toUpperCase(), attributes }],
  },
  scim.parse({ type: 'scim', url: 'https://x.example', entities: {} }),
);
const { types, endpoint } = service.resource('badge');
const place = (name: string, as?: 'text' | 'number' | 'boolean' | 'list') => placeOf(name, as, types);

test('a resource type of the service has its own endpoint and schema', () => {
  expect(endpoint).toBe('Badges');
  expect(types.schema).toBe(urn);
  expect(place(`${urn}:number`).path.schema).toBeUndefined();
});

describe('a value', () => {
  test.each<[string, 'text' | 'number' | 'boolean' | 'list' | undefined, string, unknown]>([
    ['number', undefined, '42', 42],
    ['weight', undefined, '1.50', 1.5],
    ['since', undefined, '20240229123000.5Z', '2024-02-29T12:30:00.5Z'],
    ['since', undefined, '2024-02-29T12:30:00+01:00', '2024-02-29T12:30:00+01:00'],
    ['doors', undefined, 'a', 'a'],
    ['owner.active', undefined, 'f', false],
    ['number', 'text', '42', '42'],
    ['label', 'boolean', 'yes', true],
    ['unheardOf', 'number', '7', 7],
    ['unheardOf', undefined, '7', '7'],
  ])('of %s as %s: %j is %j', (name, as, text, json) => {
    expect(jsonOf(text, place(name, as))).toEqual(json);
  });

  test.each<[string, string, string]>([
    ['number', '1.5', 'whole number'],
    ['weight', ' ', 'number'],
    ['since', 'yesterday', 'date and time'],
    ['owner.active', 'perhaps', 'boolean'],
  ])('of %s is refused without being repeated: %j', (name, text, word) => {
    const message = `attribute ${name} has a value that is no ${word}, as the service says it is`;
    expect(() => jsonOf(text, place(name))).toThrow(expect.objectContaining({ kind: 'rejected', message }));
  });

  test('in bytes goes as base64, and comes back so', () => {
    const photo = place('photo');
    expect(jsonOf({ base64: '/9j/' }, photo)).toBe('/9j/');
    expect(valuesAt({ photo: ['/9j/'] }, photo)).toEqual([{ base64: '/9j/' }]);
    expect(comparable('/9j/', photo)).toBe(comparable({ base64: '/9j/' }, photo));
  });

  test('of a complex attribute needs the name of a part', () => {
    const message = 'attribute owner is made of parts: name one in the mapping, such as owner.login';
    expect(() => place('owner')).toThrow(expect.objectContaining({ kind: 'misconfigured', message }));
  });

  test('comes back as PostgreSQL writes it', () => {
    expect(textOf('2024-02-29T12:30:00.500Z', 'dateTime')).toBe('20240229123000.5Z');
    expect(textOf('2024-02-29T12:30:00.000Z', 'dateTime')).toBe('20240229123000Z');
    expect(textOf('2024-02-29T12:30:00+01:00', 'dateTime')).toBe('2024-02-29T12:30:00+01:00');
    expect([true, 'False', 7, '', null, undefined].map((json) => textOf(json, 'boolean'))).toEqual([
      ...['TRUE', 'FALSE', '7', undefined, undefined, undefined],
    ]);
  });

  test('is the same by what it is', () => {
    const same = (name: string, one: string, other: string) =>
      comparable(one, place(name)) === comparable(other, place(name));
    expect(same('weight', '1.50', '1.5')).toBe(true);
    expect(same('since', '20240229123000Z', '2024-02-29T13:30:00+01:00')).toBe(true);
    expect(same('label', 'A', 'a')).toBe(true);
    expect(same('code', 'A', 'a')).toBe(false);
    expect(same('unheardOf', 'A', 'a')).toBe(false);
  });

  test('of any instant comes back as it went', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date('0100-01-01'), max: new Date('9000-01-01'), noInvalidDate: true }),
        (date) => {
          const digits = date
            .toISOString()
            .replaceAll(/[-:T]/g, '')
            .replace(/\.?0*Z$/, '');
          const generalized = `${digits.slice(0, 14).padEnd(14, '0')}${digits.slice(14)}Z`;
          expect(textOf(jsonOf(generalized, place('since')), 'dateTime')).toBe(generalized);
        },
      ),
    );
  });
});

describe('what a service says of itself', () => {
  const features = (provider: Document | undefined, more: object = {}) =>
    describeService(
      { provider, resourceTypes: [], schemas: [] },
      scim.parse({ type: 'scim', url: 'https://x.example', entities: {}, ...more }),
    ).features;

  test('is overruled by the configuration', () => {
    const said = {
      patch: { supported: false },
      filter: { supported: true, maxResults: 50 },
      etag: { supported: true },
    };
    expect(features(said)).toMatchObject({ patch: false, filter: true, etag: true, page: 50, bulk: undefined });
    const given = { features: { patch: true, filter: false, etag: false, cursor: true } };
    expect(features(said, given)).toMatchObject({ patch: true, filter: false, etag: false, cursor: true });
    expect(features(undefined)).toMatchObject({ patch: true, filter: true, etag: false, cursor: false });
  });

  test.each([
    [{ cursor: true, index: false }, true],
    [{ cursor: true, index: true }, false],
    [{ cursor: true, index: true, defaultPaginationMethod: 'cursor' }, true],
    [{ index: true }, false],
  ])('of pages %j leads to cursors: %s', (pagination, cursor) => {
    expect(features({ pagination }).cursor).toBe(cursor);
  });

  test('of bulk counts where it is wanted', () => {
    const bulk = { supported: true, maxOperations: 10, maxPayloadSize: 1000 };
    expect(features({ bulk }).bulk).toBeUndefined();
    expect(features({ bulk }, { bulk: true }).bulk).toEqual({ operations: 10, bytes: 1000 });
    expect(features({ bulk: { supported: false } }, { bulk: true }).bulk).toBeUndefined();
  });
});
