/** What a run found, for people and for programs. */
import { formatTable } from '../src/commands/table.ts';
import { describeGoal, judge } from './figure.ts';
import type { Summary } from './summary.ts';

/** A table with a line for each figure. */
export function formatReport(summaries: readonly Summary[]): string {
  return formatTable(
    summaries.map(({ figure: { name, unit, goal }, median, min, max, rounds }) => ({
      figure: name,
      median: round(median),
      min: round(min),
      max: round(max),
      unit,
      rounds,
      must_reach: goal ? describeGoal(goal) : 'reported',
      verdict: goal ? judge(goal, median) : '',
    })),
  );
}

/** The same as a table in Markdown, with what each figure means; for `README.md`. */
export function formatMarkdown(summaries: readonly Summary[]): string {
  return [
    '| figure | what is measured | must reach | measured: median (min – max) |',
    '| --- | --- | --- | --- |',
    ...summaries.map(({ figure: { name, unit, meaning, goal }, median, min, max }) => {
      const spread = min === max ? '' : ` (${round(min)} – ${round(max)})`;
      const measured = `${round(median)}${unit === '' ? '' : ` ${unit}`}${spread}`;
      return `| `.concat([`\`${name}\``, meaning, goal ? describeGoal(goal) : 'reported', measured].join(' | '), ' |');
    }),
  ].join('\n');
}

/** Figure → what its rounds gave. */
export type Results = Readonly<
  Record<string, { median: number; min: number; max: number; unit: string; rounds: number }>
>;

export function toResults(summaries: readonly Summary[]): Results {
  return Object.fromEntries(
    summaries.map(({ figure: { name, unit }, median, min, max, rounds }) => [
      name,
      { median: round(median), min: round(min), max: round(max), unit, rounds },
    ]),
  );
}

/** To four digits that count. */
const round = (value: number): number => Number(value.toPrecision(4));
