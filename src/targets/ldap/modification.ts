/** Changes of attributes as they are sent: without empty values and repetitions, long lists of values in several steps. */
import { Attribute, Change } from 'ldapts';
import type { AttributeChange, Attributes } from '../target.ts';
import { distinctValues } from './compare.ts';
import type { Schema } from './schema.ts';
import { toBytes } from './value.ts';

/** Values of one attribute in one request: 1,000 names of members are about 100 kB. */
const most = 1000;

/**
 * The requests that make these changes, each a list of changes made at once. There is more than one only where an
 * attribute has more values than go into a request; the first then makes all other changes.
 */
export function modifications(schema: Schema, changes: readonly AttributeChange[]): Change[][] {
  const first: Change[] = [];
  const later: Change[][] = [];
  for (const { attribute, action, values } of changes) {
    const distinct = distinctValues(schema, attribute, values);
    // Without values, `replace` clears the attribute; `delete` would, too, and `add` is an error (RFC 4511 §4.6).
    if (distinct.length === 0 && action !== 'replace') continue;
    const type = schema.sent(attribute);
    const change = (operation: AttributeChange['action'], from: number): Change => {
      const bytes = distinct.slice(from, from + most).map(toBytes);
      return new Change({ operation, modification: new Attribute({ type, values: bytes }) });
    };
    first.push(change(action, 0));
    for (let from = most; from < distinct.length; from += most) {
      later.push([change(action === 'replace' ? 'add' : action, from)]);
    }
  }
  return first.length === 0 ? [] : [first, ...later];
}

/** The attributes of a new entry, and the requests that add what did not go in at once. */
export function additions(schema: Schema, attributes: Attributes): { initial: Attribute[]; later: Change[][] } {
  const changes = Object.entries(attributes).map(([attribute, values]) => ({
    attribute,
    action: 'add' as const,
    values,
  }));
  const [first = [], ...later] = modifications(schema, changes);
  return { initial: first.map((change) => change.modification), later };
}
