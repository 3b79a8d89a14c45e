/**
 * Documents of JSON that are put together from the attributes of a mapping, and read back. The name of an attribute is
 * the path of its place, `name.familyName`; `as` says how its values stand there.
 */
import type { Form } from '../config/document-attribute.ts';
import { TargetError, type Value } from './target.ts';

export type Json = string | number | boolean | null | readonly Json[] | Document;
export interface Document {
  readonly [key: string]: Json;
}

/** A copy of a document with a value at a path. */
export function put(document: Document, [step = '', ...below]: readonly string[], value: Json): Document {
  const [, inner] = Object.entries(document).find(([key]) => key === step) ?? [];
  return { ...document, [step]: below.length === 0 ? value : put(isDocument(inner) ? inner : {}, below, value) };
}

export function isDocument(value: unknown): value is Document {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * The values of an attribute as they stand in a document; undefined where it has none. Throws `rejected` for what is not
 * as `as` says; `path` names the attribute.
 */
export function jsonOf(path: string, values: readonly Value[], as: Form): Json | undefined {
  return formed(path, values, as, toNumber);
}

/** The same for whoever has numbers of another kind: `number` reads one, and answers undefined for what is none. */
export function formed<Number>(
  path: string,
  values: readonly Value[],
  as: Form,
  number: (text: string) => Number | undefined,
): string | boolean | readonly string[] | Number | undefined {
  const texts = values.map((value) => (typeof value === 'string' ? value : value.base64));
  const [text, ...more] = texts;
  if (text === undefined) return undefined;
  if (as === 'list') return texts;
  if (more.length > 0) throw unfit(path, `has ${texts.length} values, expected one; several go \`as: list\``);
  if (as === 'text' || as === 'bytes') return text;
  const value = as === 'number' ? number(text) : toBoolean(text);
  if (value === undefined) throw unfit(path, `is no ${as}, as the mapping says it is`);
  return value;
}

/** The values that stand in a document, as a mapping would give them. */
export function valuesAs(json: Json | undefined, as: Form): readonly Value[] {
  const texts = valuesOf(json);
  return as === 'bytes' ? texts.map((base64) => ({ base64 })) : texts;
}

/** The values that stand in a document, as texts; nothing for null, "" and what is no value. */
export function valuesOf(json: Json | undefined): readonly string[] {
  if (Array.isArray(json)) return json.flatMap(valuesOf);
  if (typeof json === 'boolean') return [json ? 'TRUE' : 'FALSE'];
  if (typeof json === 'number') return [String(json)];
  return typeof json === 'string' && json !== '' ? [json] : [];
}

/** A text that is the same for two values exactly when they stand in a document as the same. */
export function canonical(value: Value, as: Form): string {
  if (typeof value !== 'string') return value.base64;
  if (as === 'boolean') return String(toBoolean(value) ?? value);
  return as === 'number' ? String(toNumber(value) ?? value) : value;
}

/** A number that JSON has; undefined for anything else. */
export function toNumber(text: string): number | undefined {
  const number = text.trim() === '' ? Number.NaN : Number(text);
  return Number.isFinite(number) ? number : undefined;
}

/** True or false in the words of PostgreSQL and of directories; undefined for anything else. */
export function toBoolean(text: string): boolean | undefined {
  if (/^(true|t|yes|y|on|1)$/i.test(text)) return true;
  return /^(false|f|no|n|off|0)$/i.test(text) ? false : undefined;
}

/** An attribute that cannot be written: its identity is parked. */
export function unfit(path: string, reason: string): TargetError {
  return new TargetError('rejected', `attribute ${path} ${reason}`);
}
