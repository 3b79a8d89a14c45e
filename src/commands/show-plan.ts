import type { ApplyPlan, PlannedRelease, PlannedRoute, Sample } from '../apply/plan.ts';
import { formatValue } from './table.ts';

/** What would be done of each operation, in the words of a person, in the order in which it is told. */
const words = {
  create: 'created',
  update: 'updated',
  rename: 'renamed',
  remove: 'removed',
  disable: 'disabled',
  keep: 'kept, though out of the view',
  release: 'released',
  later: 'deprovisioned later',
  park: 'parked, for they cannot be delivered',
  note: 'noted',
  nothing: 'unchanged',
} as const;

/** What a configuration would do, as lines for a person. */
export function showPlan({ routes, released }: ApplyPlan): string {
  return [...routes.flatMap(routeLines), ...released.map(releasedLine)].join('\n');
}

function routeLines({ target, entity, error, operations, attributes, samples, guard }: PlannedRoute): string[] {
  if (error !== null) return [`${entity} on ${target}: cannot be read with this configuration: ${formatValue(error)}`];
  const counts = Object.entries(words).flatMap(([operation, word]) => {
    const count = operations[operation] ?? 0;
    return count === 0 ? [] : [`${count.toLocaleString('en')} ${word}`];
  });
  const changed = Object.entries(attributes).toSorted(([, left], [, right]) => right - left);
  const list = changed.map(([name, count]) => `${formatValue(name)} of ${count.toLocaleString('en')}`).join(', ');
  return [
    `${entity} on ${target}: ${counts.length === 0 ? 'nobody' : counts.join(', ')}`,
    ...(list === '' ? [] : [`  attributes: ${list}`]),
    ...guard.map((said) => `  guard: ${said}`),
    ...Object.keys(words).flatMap((operation) =>
      samples.filter((sample) => sample.operation === operation).map(sampleLine),
    ),
  ];
}

function sampleLine({ operation, key, remote_id, changes }: Sample): string {
  const said = changes.map(({ attribute, before, after }) =>
    [attribute === null ? '' : `${formatValue(attribute)}: `, [before, after].map(listed).join(' → ')].join(''),
  );
  return [`  ${operation} ${formatValue(key)}`, formatValue(remote_id), said.join('; ')].filter(Boolean).join('  ');
}

function listed(values: unknown): string {
  return values === null ? '(nothing)' : formatValue(values);
}

function releasedLine({ target, entity, links }: PlannedRelease): string {
  return `${entity} on ${target}: no longer configured; ${links.toLocaleString('en')} entries stay as they are`;
}
