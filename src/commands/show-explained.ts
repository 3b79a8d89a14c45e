import { formatMoment } from './moment.ts';
import { formatValue } from './table.ts';

/** What is known of one identity on one target. Secrets are masked; times inside JSON are ISO 8601. */
export interface Explained {
  readonly target: string;
  readonly entity: string;
  readonly key: string;
  readonly now: Date;
  readonly target_state: string;
  readonly target_reason: string | null;
  /** What the target should hold; null: no row in the view. */
  readonly desired: {
    readonly released: boolean;
    readonly remote_id: string | null;
    readonly attributes: Readonly<Record<string, unknown>> | null;
    readonly members: Readonly<Record<string, readonly string[]>> | null;
  } | null;
  /** Why the desired state cannot be read. */
  readonly unreadable: string | null;
  /** What was last put there. */
  readonly link: { readonly remote_id: string; readonly state: string; readonly at: string } | null;
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
  const { target, entity, key, target_state, target_reason, journal, now } = explained;
  const state = target_state === 'active' ? '' : ` (${target_state}${target_reason ? `: ${target_reason}` : ''})`;
  return [
    `${entity} ${formatValue(key)} on ${target}${state}`,
    ...section('scope', [scopeOf(explained)]),
    ...section('desired', desiredLines(explained)),
    ...section('link', [linkLine(explained)]),
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

function scopeOf({ desired, unreadable }: Explained): string {
  if (unreadable !== null) return `cannot be told: ${unreadable}`;
  if (desired === null) return 'not in the view';
  return desired.released ? 'in the view, but does not meet "only"' : 'in the view';
}

function desiredLines({ desired }: Explained): string[] {
  if (desired === null || desired.released) return [];
  const members = Object.entries(desired.members ?? {}).map(([name, keys]) => `${name}: ${keys.length} members`);
  const attributes = Object.entries(desired.attributes ?? {}).map(
    ([name, values]) => `${name}: ${formatValue(values)}`,
  );
  return [formatValue(desired.remote_id ?? '(no remote id)'), ...attributes, ...members];
}

function linkLine({ link, now }: Explained): string {
  if (link === null) return 'none: nothing was put there';
  return `${formatValue(link.remote_id)} (${link.state}, ${formatMoment(new Date(link.at), now)})`;
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
    return attribute === null && before === null && after === null
      ? operation
      : `${operation}${attribute === null ? '' : ` ${attribute}`}: ${values.join(' → ')}`;
  });
}

function attemptLine(attempt: Explained['journal'][number], now: Date): string {
  const { at, operation, result, changed, cause, actor, message } = attempt;
  const what = changed && changed.length > 0 ? ` (${changed.join(', ')})` : '';
  const why = [cause, actor && `by ${formatValue(actor)}`].filter(Boolean).join(' ');
  return `${formatMoment(new Date(at), now)}: ${operation}${what} ${result}${why ? `, ${why}` : ''}${message ? `: ${formatValue(message)}` : ''}`;
}
