/** Filters (RFC 7644 §3.4.2.2). Values are JSON, so that no value is ever read as a part of the filter. */
import { printScimPath } from '../../config/scim-path.ts';
import type { Value } from '../target.ts';
import type { Place } from './place.ts';
import { jsonOf } from './value.ts';

/** The condition that a place has a value. */
export function equals(place: Place, value: Value): string {
  const { path, part } = place;
  const json = JSON.stringify(jsonOf(value, place));
  const attribute = printScimPath({ ...path, filter: [], sub: undefined });
  if (path.filter.length === 0) return `${attribute}${part === undefined ? '' : `.${part}`} eq ${json}`;
  const conditions = path.filter.map((condition) => `${condition.attribute} eq ${JSON.stringify(condition.value)}`);
  return `${attribute}[${[...conditions, `${part ?? 'value'} eq ${json}`].join(' and ')}]`;
}

/** The condition that all conditions are met. */
export function all(conditions: readonly string[]): string {
  return conditions.join(' and ');
}

/** The condition that one of several is met. */
export function any(conditions: readonly string[]): string {
  return conditions.length === 1 ? conditions.join('') : conditions.map((condition) => `(${condition})`).join(' or ');
}

/** Items in groups of which the filters stay short enough for a URL, and for services that read no long ones. */
export function inGroups<T>(items: readonly T[], filterOf: (item: T) => string): T[][] {
  const groups: T[][] = [];
  let length = Number.POSITIVE_INFINITY;
  for (const item of items) {
    const more = encodeURIComponent(filterOf(item)).length + ' or ()'.length * 3;
    const last = groups.at(-1);
    if (last === undefined || length + more > longest || last.length >= mostTerms) {
      groups.push([item]);
      length = more;
    } else {
      last.push(item);
      length += more;
    }
  }
  return groups;
}

/** Characters of a filter in a URL. */
const longest = 1500;

/** Values that are looked for at once. */
const mostTerms = 40;
