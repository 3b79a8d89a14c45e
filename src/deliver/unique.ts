import type { Planned } from './adopt.ts';
import type { Context, Live } from './plan.ts';
import type { ValueWish } from './reserve-values.ts';
import { type Stored, type StoredValue, storedText, toStored } from './stored.ts';

/**
 * The values of unique attributes that a key has once a plan is carried out: those that its link will say are there. A
 * plan that takes an entry away or disables it asks for none: nothing holds up a leaver.
 */
export function wishedValues({ loaded, plan }: Planned, unique: ReadonlySet<string>): ValueWish[] {
  const { claimed, desired, link } = loaded;
  if (unique.size === 0 || !desired || (plan.do !== 'write' && plan.do !== 'settle')) return [];
  const next = plan.link === 'leave' && plan.do === 'settle' ? link : plan.link;
  if (!next || next === 'leave') return [];
  return [...unique].flatMap((attribute) => {
    const applied = new Set(link?.attributes[attribute]?.map(storedText));
    return (next.attributes[attribute] ?? []).map((value) => ({
      key: claimed.key,
      attribute,
      value,
      applied: applied.has(storedText(value)),
    }));
  });
}

/** What an entry that was read has of unique attributes; undefined where nobody looked, or there is none. */
export function uniqueIn(live: Live, { mapping, secret }: Pick<Context, 'mapping' | 'secret'>): Stored | undefined {
  if (live === undefined || live === 'absent') return undefined;
  const own = [...mapping.unique].map((attribute) => [attribute, live.attributes[attribute] ?? []] as const);
  return toStored(Object.fromEntries(own), mapping, secret);
}

/** The longest text that a message repeats. */
const shown = 100;

/** A value as a message names it. */
export function nameValue(attribute: string, value: StoredValue): string {
  if (typeof value !== 'string')
    return 'hash' in value ? `a long value of ${attribute}` : `a value of ${attribute} (bytes)`;
  return `${attribute} ${JSON.stringify(value.length > shown ? `${value.slice(0, shown)}…` : value)}`;
}
