import { count } from './stage.ts';
import type { TourResult } from './tour.ts';

/** The end of a tour in a few lines. */
export function summarise(result: TourResult): string[] {
  const {
    people,
    groups,
    cards,
    accounts,
    lines,
    changes,
    refused,
    mismatches,
    p50_ms,
    p99_ms,
    identities_per_second,
    seconds,
    differences,
  } = result;
  const verdict = mismatches === 0 ? 'nothing differs' : `${count(mismatches)} mismatch${mismatches === 1 ? '' : 'es'}`;
  return [
    '',
    `${count(people)} people, ${count(groups)} groups, ${count(cards)} cards, ${count(accounts)} accounts and ${count(lines)} lines compared: ${verdict}.`,
    `${count(refused)} ${refused === 1 ? 'person is' : 'people are'} kept out by a hook, and parked.`,
    `Initial load ${count(identities_per_second)} identities a second; ${count(changes)} writes to the directory since.`,
    `Concurrent changes, from PostgreSQL to the directory: p50 ${p50_ms} ms, p99 ${p99_ms} ms. ${seconds} s in all.`,
    ...differences.map((line) => `- ${line}`),
    ...(mismatches > differences.length ? [`- and ${count(mismatches - differences.length)} more`] : []),
  ];
}
