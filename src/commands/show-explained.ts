import type { LiveEntry } from './live-entry.ts';
import { formatMoment } from './moment.ts';
import { formatValue } from './table.ts';

/** What is known of one identity on one target. Secrets are masked; times inside JSON are ISO 8601. */
export interface Explained {
  readonly target: string;
  readonly entity: string;
  readonly key: string;
  readonly now: Date;
  readonly target_mode: string;
  readonly target_state: string;
  readonly target_reason: string | null;
  /** What the target should hold; null: no row in the view. */
  readonly desired: {
    readonly released: boolean;
    readonly remote_id: string | null;
    readonly attributes: Readonly<Record<string, unknown>> | null;
    readonly members: Readonly<Record<string, readonly string[]>> | null;
  } | null;
  /** The view that says who is replicated, and the condition on it; null: the configuration has another opinion. */
  readonly view: string | null;
  readonly only: string | null;
  /** By which attributes an existing entry is recognised as its own, of which columns; null: by its remote id. */
  readonly match: Readonly<Record<string, string>> | null;
  /** Changes that were captured and are not ingested yet: any of them may be of this key. */
  readonly captured: readonly string[];
  /** Why the desired state cannot be read. */
  readonly unreadable: string | null;
  /** What was last put there. */
  readonly link: { readonly remote_id: string; readonly state: string; readonly at: string } | null;
  /** How it came by its entry; null: the journal does not tell (a bulk load, or long ago). */
  readonly matched: { readonly operation: string; readonly at: string } | null;
  /** The entry as it is on the target; null: nobody looked. */
  readonly live: LiveEntry | null;
  /** Who waits for its remote id, or a value of this unique attribute, or is parked for want of it. */
  readonly wanted_by: readonly {
    readonly entity: string;
    readonly key: string;
    readonly attribute: string;
    readonly state: string;
    readonly error: string | null;
  }[];
  readonly delivery: {
    readonly state: string;
    readonly why: string;
    readonly since: string;
    readonly next_attempt: string | null;
    readonly attempts: number;
    readonly last_cause: string | null;
    readonly last_actor: string | null;
    readonly error_kind: string | null;
    readonly error: string | null;
  } | null;
  /** Since when its identity is known to be out of the view, and what is done next; null: it is not, for all we know. */
  readonly deprovisioning: {
    readonly since: string;
    readonly next_step: string | null;
    readonly next_at: string | null;
  } | null;
  /** What a replay would do now. */
  readonly preview: readonly {
    readonly operation: string;
    readonly attribute: string | null;
    readonly before: unknown;
    readonly after: unknown;
  }[];
  /** The last attempts, newest last. */
  readonly journal: readonly {
    readonly at: string;
    readonly operation: string;
    readonly result: string;
    readonly changed: readonly string[] | null;
    readonly cause: string | null;
    readonly actor: string | null;
    readonly message: string | null;
  }[];
}

/** The findings as lines for a person. */
export function showExplained(explained: Explained, advice: string): string {
  const { target, entity, key, target_mode, target_state, target_reason, journal, now } = explained;
  const observed = target_mode === 'observe' ? ' (only observed: nothing is sent)' : '';
  const state = target_state === 'active' ? '' : ` (${target_state}${target_reason ? `: ${target_reason}` : ''})`;
  return [
    `${entity} ${formatValue(key)} on ${target}${observed}${state}`,
    ...section('scope', [scopeOf(explained), ...explained.captured]),
    ...section('desired', desiredLines(explained)),
    ...section('link', linkLines(explained)),
    ...section('live', liveLines(explained)),
    ...section('deprovisioning', deprovisioningLines(explained)),
    ...section('delivery', deliveryLines(explained)),
    ...section('a replay would', previewLines(explained)),
    ...section(
      'journal',
      journal.map((attempt) => attemptLine(attempt, now)),
    ),
    `  → ${advice}`,
  ].join('\n');
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.map((line, index) => `  ${(index === 0 ? title : '').padEnd(15)} ${line}`);
}

function scopeOf({ desired, unreadable, view, only }: Explained): string {
  if (unreadable !== null) return `cannot be told: ${unreadable}`;
  if (desired === null) return view === null ? 'not in the view' : `not in the view ${view}`;
  if (!desired.released) return 'in the view';
  return only === null
    ? 'in the view, but does not meet "only"'
    : `in the view, but does not meet "only": ${formatValue(only)}`;
}

function desiredLines({ desired }: Explained): string[] {
  if (desired === null || desired.released) return [];
  const members = Object.entries(desired.members ?? {}).map(([name, keys]) => `${name}: ${keys.length} members`);
  const attributes = Object.entries(desired.attributes ?? {}).map(
    ([name, values]) => `${name}: ${formatValue(values)}`,
  );
  return [formatValue(desired.remote_id ?? '(no remote id)'), ...attributes, ...members];
}

const origins: Readonly<Record<string, string>> = {
  create: 'created by Staffetta',
  'hand over': 'taken over from another key',
};

function originOf(operation: string, match: Explained['match']): string {
  if (operation !== 'adopt') return origins[operation] ?? operation;
  const by = match === null ? 'its remote id' : Object.keys(match).join(', ');
  return `found there by ${by} and adopted`;
}

function linkLines({ link, matched, match, wanted_by, now }: Explained): string[] {
  const wanted = wanted_by.map(({ entity, key, attribute, state, error }) => {
    const why = error === null ? '' : `: ${formatValue(error)}`;
    return `${entity} ${formatValue(key)} wants its ${attribute === '' ? 'remote id' : attribute} and is ${state}${why}`;
  });
  if (link === null) return ['none: nothing was put there', ...wanted];
  const origin = matched && `${originOf(matched.operation, match)} ${formatMoment(new Date(matched.at), now)}`;
  return [
    `${formatValue(link.remote_id)} (${link.state}, ${formatMoment(new Date(link.at), now)})`,
    ...(origin ? [origin] : []),
    ...wanted,
  ];
}

function liveLines({ live, link }: Explained): string[] {
  if (live === null) return [];
  if (live.error !== null) return [`cannot be read: ${formatValue(live.error)}`];
  if (live.remote_id === null) return ['no entry'];
  const moved = link !== null && link.remote_id !== live.remote_id ? ' (the link says another place)' : '';
  const attributes = Object.entries(live.attributes).map(
    ([name, values]) => `${live.differing.includes(name) ? '≠ ' : ''}${name}: ${formatValue(values)}`,
  );
  const missing = live.differing.filter((name) => !(name in live.attributes)).map((name) => `≠ ${name}: (nothing)`);
  return [`${formatValue(live.remote_id)}${moved}`, ...attributes, ...missing];
}

function deprovisioningLines({ deprovisioning, now }: Explained): string[] {
  if (deprovisioning === null) return [];
  const { since, next_step, next_at } = deprovisioning;
  const next =
    next_step === null || next_at === null
      ? 'nothing more: the entry stays as it is'
      : `next: ${next_step}, ${formatMoment(new Date(next_at), now)}`;
  return [`left the view ${formatMoment(new Date(since), now)}`, next];
}

function deliveryLines({ delivery, now }: Explained): string[] {
  if (delivery === null) return ['none: nothing is owed'];
  const { state, why, since, next_attempt, last_cause, last_actor, attempts, error } = delivery;
  const next = next_attempt === null ? [] : [`next attempt ${formatMoment(new Date(next_attempt), now)}`];
  const last = error === null ? [] : [`last error: ${formatValue(error)}`];
  return [
    `${state}: ${formatValue(why)}`,
    `since ${formatMoment(new Date(since), now)}, because of ${last_cause ?? 'an unknown cause'}${last_actor ? ` by ${formatValue(last_actor)}` : ''}; attempts: ${attempts}`,
    ...next,
    ...last,
  ];
}

function previewLines({ preview }: Explained): string[] {
  return preview.map(({ operation, attribute, before, after }) => {
    const values = [before, after].map((list) => (list === null ? '(nothing)' : formatValue(list)));
    if (attribute !== null) return `${operation} ${attribute}: ${values.join(' → ')}`;
    if (after === null && before === null) return operation;
    return before === null ? `${operation}: ${formatValue(after)}` : `${operation}: ${values.join(' → ')}`;
  });
}

function attemptLine(attempt: Explained['journal'][number], now: Date): string {
  const { at, operation, result, changed, cause, actor, message } = attempt;
  const what = changed && changed.length > 0 ? ` (${changed.join(', ')})` : '';
  const why = [cause, actor && `by ${formatValue(actor)}`].filter(Boolean).join(' ');
  return `${formatMoment(new Date(at), now)}: ${operation}${what} ${result}${why ? `, ${why}` : ''}${message ? `: ${formatValue(message)}` : ''}`;
}
