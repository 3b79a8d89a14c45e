/** Paths of SCIM attributes (RFC 7644 §3.10, §3.5.2): `name.familyName`, `emails[type eq "work"].value`, `urn:…:User:department`. */

/** A path: an attribute, and what of it. */
export interface ScimPath {
  /** The URN of the schema that the attribute belongs to; undefined: that of the resource itself. */
  readonly schema: string | undefined;
  readonly attribute: string;
  /** Which values of a multi-valued attribute, all of these being equal; none: every value. */
  readonly filter: readonly Condition[];
  readonly sub: string | undefined;
}

/** `type eq "work"` */
export interface Condition {
  readonly attribute: string;
  readonly value: string | number | boolean;
}

/** A path that cannot be read. */
export class ScimPathError extends Error {
  override readonly name = 'ScimPathError';
}

const whole = /^(?:(urn:[^[\]"\s]+):)?([a-z$][\w$-]*)(?:\[(.*)\])?(?:\.([a-z$][\w$-]*))?$/is;
const condition = /\s*([a-z$][\w$-]*)\s+eq\s+("(?:[^"\\]|\\.)*"|true|false|-?\d+(?:\.\d+)?)\s*(and\s|$)/iy;

/** Reads a path. A filter is one comparison with `eq`, or several with `and`. Throws ScimPathError. */
export function parseScimPath(text: string): ScimPath {
  const [, schema, attribute, filter, sub] = whole.exec(text) ?? [];
  if (attribute === undefined) throw new ScimPathError(expected);
  return { schema, attribute, filter: filter === undefined ? [] : parseFilter(filter), sub };
}

const expected = 'expected a path such as displayName, name.familyName or emails[type eq "work"].value';

function parseFilter(text: string): Condition[] {
  const conditions: Condition[] = [];
  const pattern = new RegExp(condition);
  let more = true;
  while (more) {
    const [, attribute, value, and] = pattern.exec(text) ?? [];
    if (attribute === undefined || value === undefined)
      throw new ScimPathError('expected a filter such as [type eq "work"] or [type eq "work" and primary eq true]');
    conditions.push({ attribute, value: literal(value) });
    more = and !== '';
  }
  return conditions;
}

function literal(text: string): Condition['value'] {
  try {
    const value: unknown = JSON.parse(text.startsWith('"') ? text : text.toLowerCase());
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  } catch {} // a backslash before what needs none
  throw new ScimPathError(`expected a text, a number, true or false in a filter, as in JSON`);
}

/** A path as `parseScimPath` reads it. */
export function printScimPath({ schema, attribute, filter, sub }: ScimPath): string {
  const conditions = filter.map(({ attribute: name, value }) => `${name} eq ${JSON.stringify(value)}`);
  return [
    schema === undefined ? '' : `${schema}:`,
    attribute,
    conditions.length === 0 ? '' : `[${conditions.join(' and ')}]`,
    sub === undefined ? '' : `.${sub}`,
  ].join('');
}

/** Whether two names of attributes are the same: they know no case (RFC 7643 §2.1). */
export function isSameName(one: string | undefined, other: string | undefined): boolean {
  return one?.toLowerCase() === other?.toLowerCase();
}
