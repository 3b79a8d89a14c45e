/** Comparison of values by the matching rules of a schema (RFC 4517 §4.2): sets, in any order. */
import type { Value } from '../target.ts';
import type { Rule } from './attribute-types.ts';
import { DnSyntaxError, normaliseDn } from './dn.ts';
import { prepare } from './prepare.ts';
import type { Schema } from './schema.ts';
import { readTime } from './time.ts';
import { isEmpty, toBytes, toText } from './value.ts';

/** Are these the same values of an attribute? Empty values do not count, nor does a value given twice. */
export function sameValues(
  schema: Schema,
  attribute: string,
  left: readonly Value[],
  right: readonly Value[],
): boolean {
  const one = keys(schema, attribute, left);
  const other = keys(schema, attribute, right);
  return one.size === other.size && [...one].every((key) => other.has(key));
}

/** The values without empty ones and without repetitions by the attribute's matching rule. */
export function distinctValues(schema: Schema, attribute: string, values: readonly Value[]): Value[] {
  const given = values.filter((value) => !isEmpty(value));
  if (given.length < 2) return given;
  const rule = ruleOf(schema, attribute);
  const byKey = new Map<string, Value>();
  for (const value of given) {
    const key = keyOf(rule, value);
    if (!byKey.has(key)) byKey.set(key, value);
  }
  return [...byKey.values()];
}

/** The text under which a value of an attribute is unique. */
export function valueKey(schema: Schema, attribute: string, value: Value): string {
  return keyOf(ruleOf(schema, attribute), value);
}

function keys(schema: Schema, attribute: string, values: readonly Value[]): Set<string> {
  const rule = ruleOf(schema, attribute);
  const given = values.filter((value) => !isEmpty(value));
  // An entry of a class belongs to all classes above it, whether or not the server lists them (RFC 4512 §2.4).
  if (rule === 'objectIdentifier') return new Set(given.flatMap((value) => schema.withSuperiors(toText(value) ?? '')));
  return new Set(given.map((value) => keyOf(rule, value)));
}

function ruleOf(schema: Schema, attribute: string): Rule {
  const type = schema.type(attribute);
  return type.binary ? 'bytes' : type.rule;
}

function keyOf(rule: Rule, value: Value): string {
  const text = rule === 'bytes' ? undefined : toText(value);
  return (text === undefined ? undefined : textKey(rule, text)) ?? `bytes:${toBytes(value).toString('base64')}`;
}

/** Undefined where the text is none of its rule: then it equals only itself. */
function textKey(rule: Rule, text: string): string | undefined {
  switch (rule) {
    case 'caseIgnore':
      return prepare(text, true);
    case 'caseExact':
      return prepare(text, false);
    case 'caseIgnoreList':
      return text
        .split('$')
        .map((line) => prepare(line, true))
        .join('$');
    case 'dn':
      return dnKey(text);
    case 'nameAndUid': {
      const [, dn = text, bits = ''] = /^(.*)(#'[01]*'B)$/s.exec(text) ?? [];
      const key = dnKey(dn);
      return key === undefined ? undefined : key + bits;
    }
    case 'telephone':
      return prepare(text, true).replace(/[ -]/g, '');
    case 'numeric':
      return prepare(text, true).replaceAll(' ', '');
    case 'integer':
      return /^-?\d+$/.test(text) ? BigInt(text).toString() : undefined;
    case 'boolean':
    case 'uuid':
    case 'objectIdentifier':
      return text.trim().toLowerCase();
    case 'time':
      return readTime(text);
    case 'bytes':
    case 'exact':
      return undefined;
  }
}

function dnKey(text: string): string | undefined {
  try {
    return normaliseDn(text);
  } catch (error) {
    if (error instanceof DnSyntaxError) return undefined;
    throw error;
  }
}
