/**
 * Key types (PROTOCOL D2). Inside the view a key is compared uncast, so that indexes are used; everywhere else it is
 * canonical text: the same text for the same key, whatever wrote it.
 */
import type { Column } from './column.ts';

/** The type of an entity's key. */
export interface KeyType {
  /** Its name in SQL, for `$1::bigint[]`. */
  readonly sqlType: string;
  /** SQL that gives the canonical text of an expression, which is cast to the type; NULL stays NULL. */
  readonly canonical: (expression: string) => string;
  /** Types of one family give the same text for the same key. */
  readonly family: 'integer' | 'numeric' | 'uuid' | 'text';
}

const families: ReadonlyMap<string, KeyType['family']> = new Map([
  ['smallint', 'integer'],
  ['integer', 'integer'],
  ['bigint', 'integer'],
  ['numeric', 'numeric'],
  ['uuid', 'uuid'],
  ['text', 'text'],
  ['character varying', 'text'],
]);

/** What a key may be, for messages. */
const allowed = 'smallint, integer, bigint, numeric(n,0), uuid, text or varchar';

/** The canonical form of a type; undefined where it can be no key. */
export function keyType(sqlType: string): KeyType | undefined {
  const family = families.get(sqlType);
  if (!family) return undefined;
  return {
    sqlType,
    family,
    canonical:
      family === 'numeric'
        ? (expression) => `trim_scale((${expression})::numeric)::text` // not ::numeric(n,0), which would round
        : (expression) => `(${expression})::${sqlType}::text`,
  };
}

/** The type of a key column, or why it can be no key. */
export function keyTypeOf(column: Column): KeyType | { readonly refused: string } {
  const type = column.array ? undefined : keyType(column.base);
  if (!type)
    return { refused: `is of type ${column.type}, which cannot be a key; expected ${allowed}: cast it in the view` };
  if (type.family === 'numeric' && !/^numeric\(\d+,0\)$/.test(column.exact))
    return {
      refused: `is of type ${column.exact}, which may have fractions; expected numeric(n,0): cast it in the view`,
    };
  if (!column.deterministic)
    return {
      refused: `has the nondeterministic collation ${column.collation}, under which two keys may be equal without being the same; add \`collate "C"\` in the view`,
    };
  return type;
}
