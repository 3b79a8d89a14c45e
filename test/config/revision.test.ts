import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { revision } from '../../src/config/revision.ts';

const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { depthSize: 'small' },
    fc.string(),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('any')),
    tie('mapping'),
  ),
  mapping: fc.dictionary(fc.string(), tie('any')),
})).mapping;

/** The same value, every mapping in it written the other way round. */
function reversed(here: unknown): unknown {
  if (Array.isArray(here)) return here.map(reversed);
  if (typeof here !== 'object' || here === null) return here;
  const pairs = Object.entries(here).map(([key, item]): [string, unknown] => [key, reversed(item)]);
  return Object.fromEntries(pairs.toReversed());
}

const withSecrets = (password: string, url: string) => ({
  database: { url },
  targets: {
    directory: { bind: { dn: 'cn=admin', password }, url: 'ldaps://a' },
    service: { auth: { type: 'oauth2', clientId: 'us', clientSecret: password } },
  },
});

describe('a revision', () => {
  test('does not depend on the order of keys', () => {
    fc.assert(
      fc.property(value, (written) => {
        expect(revision(reversed(written))).toBe(revision(written));
      }),
    );
  });

  test('does not depend on comments and formatting', () => {
    expect(revision(parse('a: [1, "x"] # why\n\nb: {c: y}'))).toBe(revision(parse('b:\n  c: "y"\na:\n- 1\n- x\n')));
  });

  test('differs wherever the file does', () => {
    fc.assert(
      fc.property(value, value, (left, right) => {
        fc.pre(stringify(left, { sortMapEntries: true }) !== stringify(right, { sortMapEntries: true }));
        expect(revision(left)).not.toBe(revision(right));
      }),
    );
  });

  test('does not depend on passwords of connections, but on all else about them', () => {
    const before = revision(withSecrets('old', 'postgres://app:old@db/x'));
    expect(revision(withSecrets('new', 'postgres://app:new@db/x'))).toBe(before);
    expect(revision(withSecrets('old', 'postgres://app:old@other/x'))).not.toBe(before);
  });
});
