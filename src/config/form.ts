import { z } from 'zod';

/** A schema in words: the forms of value that it takes, each as a person would write it down. */
export function formsOf(schema: unknown): string[] {
  if (schema instanceof z.ZodUnion) return schema.options.flatMap(formsOf);
  if (schema instanceof z.ZodPipe) return formsOf(schema.in);
  if (schema instanceof z.ZodLiteral) return [...schema.values].map(String);
  if (schema instanceof z.ZodEnum) return schema.options.map(String);
  if (schema instanceof z.ZodString) return ['text'];
  if (schema instanceof z.ZodArray) return ['a list'];
  if (schema instanceof z.ZodObject) return [`{ ${keysOf(schema).join(', ')} }`];
  return ['a value'];
}

/** The keys of an object's schema; those that may be left out end in `?`. */
function keysOf(schema: z.ZodObject): string[] {
  return Object.entries(schema.shape).map(([key, value]) => (isOptional(value) ? `${key}?` : key));
}

function isOptional(schema: unknown): boolean {
  return schema instanceof z.ZodType && schema.safeParse(undefined).success;
}

/** What is written, in words: `text "x"`, `the number 5`, `a list`. */
export function describeValue(value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return Object.keys(value).length === 0 ? 'an empty mapping' : 'a mapping';
  if (typeof value === 'string') return `text ${quote(value)}`;
  return typeof value === 'number' ? `the number ${value}` : String(value);
}

/** A text in quotes, cut off where it is long. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}

/** `a, b or c` */
export function anyOf(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}
