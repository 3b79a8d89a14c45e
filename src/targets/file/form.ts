/** The values of an attribute in a flow: in the form that the mapping says, in a document or in a column. */
import type { Form } from '../../config/document-attribute.ts';
import { formed } from '../document.ts';
import type { Value } from '../target.ts';

/** Text stands for a number, too: JSON.parse would take digits from a long one. */
export type Formed = string | boolean | null | readonly string[] | { readonly number: string };

/** `null`: there is no value; an empty one counts as none. Throws `rejected` for what does not have the form. */
export function formIn(name: string, values: readonly Value[], as: Form): Formed {
  const given = values.filter((value) => value !== '');
  return formed(name, given, as, numberIn) ?? (as === 'list' ? [] : null);
}

/** A number as JSON writes it, digit by digit (RFC 8259 §6). */
function numberIn(text: string): { readonly number: string } | undefined {
  const number = text.trim();
  return /^-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?$/.test(number) ? { number } : undefined;
}
