/** The values of an attribute as one: in the form that the mapping says, for a document or a column. */
import type { Form } from '../../config/document-attribute.ts';
import { toBoolean } from '../document.ts';
import { TargetError, type Value } from '../target.ts';

/** Text stands for a number, too: JSON.parse would take digits from a long one. */
export type Formed = string | boolean | null | readonly string[] | { readonly number: string };

/** `null`: there is no value; an empty one counts as none. Throws `rejected` for what does not have the form. */
export function formed(name: string, values: readonly Value[], form: Form): Formed {
  const texts = values.map((value) => (typeof value === 'string' ? value : value.base64)).filter((text) => text !== '');
  if (form === 'list') return texts;
  const [text, ...more] = texts;
  if (text === undefined) return null;
  if (more.length > 0) throw unfit(name, `has ${texts.length} values, expected one; several go \`as: list\``);
  if (form === 'text') return text;
  const value = form === 'number' ? numberIn(text) : toBoolean(text);
  if (value === undefined) throw unfit(name, `is no ${form}, as the mapping says it is`);
  return value;
}

/** A number as JSON writes it, digit by digit (RFC 8259 §6). */
function numberIn(text: string): { readonly number: string } | undefined {
  const number = text.trim();
  return /^-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?$/.test(number) ? { number } : undefined;
}

/** An attribute that cannot be written: its identity is parked. */
export function unfit(name: string, reason: string): TargetError {
  return new TargetError('rejected', `attribute ${name} ${reason}`);
}
