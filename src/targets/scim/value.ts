/** Values of attributes as SCIM has them, and back as PostgreSQL and directories write them. */
import { type Json, toBoolean, toNumber } from '../document.ts';
import { TargetError, type Value } from '../target.ts';
import type { Place } from './place.ts';

/** A value as it stands in a resource. Throws `rejected` for one that is not what the attribute is. */
export function jsonOf(value: Value, { name, type }: Pick<Place, 'name' | 'type'>): Json {
  if (typeof value !== 'string') return value.base64;
  const json = converted(value, type);
  if (json !== undefined) return json;
  throw new TargetError(
    'rejected',
    `attribute ${name} has a value that is no ${words[type]}, as the service says it is`,
  );
}

const words: Readonly<Record<Place['type'], string>> = {
  string: 'text',
  reference: 'reference',
  binary: 'base64',
  boolean: 'boolean',
  decimal: 'number',
  integer: 'whole number',
  dateTime: 'date and time',
};

function converted(text: string, type: Place['type']): Json | undefined {
  switch (type) {
    case 'boolean':
      return toBoolean(text);
    case 'decimal':
      return toNumber(text);
    case 'integer': {
      const number = toNumber(text);
      return Number.isInteger(number) ? number : undefined;
    }
    case 'dateTime':
      return toDateTime(text);
    default:
      return text;
  }
}

/** A value of a resource as text; undefined where it is none, or empty. */
export function textOf(json: Json | undefined, type: Place['type']): string | undefined {
  // some services write booleans as texts, such as "True"
  const flag = typeof json === 'string' && type === 'boolean' ? (toBoolean(json) ?? json) : json;
  if (typeof flag === 'boolean') return flag ? 'TRUE' : 'FALSE';
  if (typeof json === 'number') return String(json);
  if (typeof json !== 'string' || json === '') return undefined;
  return type === 'dateTime' ? toGeneralizedTime(json) : json;
}

/** A value in the form in which two are the same. */
export function comparable(value: Value, { type, caseExact }: Pick<Place, 'type' | 'caseExact'>): string {
  if (typeof value !== 'string') return value.base64;
  const json = converted(value, type);
  if (type === 'dateTime' && typeof json === 'string') return new Date(json).toISOString();
  if (json !== undefined && typeof json !== 'string') return String(json);
  return caseExact || type === 'binary' ? value : value.toLowerCase();
}

const generalizedTime = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\.\d+)?Z$/;

/** Generalized time, as timestamps of the view are written (RFC 4517 §3.3.13), as SCIM's (RFC 7643 §2.3.5). */
function toDateTime(text: string): string | undefined {
  const iso = text.replace(generalizedTime, '$1-$2-$3T$4:$5:$6$7Z');
  return Number.isNaN(Date.parse(iso)) ? undefined : iso;
}

function toGeneralizedTime(text: string): string {
  const [, date, time, fraction = ''] = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(\.\d+)?Z$/.exec(text) ?? [];
  if (date === undefined || time === undefined) return text;
  const rest = fraction.replace(/\.?0+$/, '');
  return `${date.replaceAll('-', '')}${time.replaceAll(':', '')}${rest}Z`;
}
