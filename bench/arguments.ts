import { parseArgs } from 'node:util';
import type { Measurement } from './measurement.ts';
import { findMeasurements, measurements } from './measurements.ts';

export const usage = `npm run bench -- [NAME…] [--quick | --scale S] [--rounds N] [--json] [--save]
  NAME        what to measure: ${measurements.map(({ name }) => name).join(', ')};
              or the beginning of a figure's name, such as latency. (default: everything)
  --quick     a tenth of the sizes
  --scale S   this share of the sizes, more than 0 and at most 1 (default: 1)
  --rounds N  how often each ratio is measured, one beside the other (default: 3)
  --json      answer with one JSON object: figure, { median, min, max, unit, rounds }
  --save      write that, with a description of the machine, to bench/results/, and a table for README.md`;

/** What somebody asked the bench for. */
export interface Arguments {
  /** In the order in which they are measured. */
  readonly chosen: readonly Measurement[];
  readonly scale: number;
  readonly rounds: number;
  readonly json: boolean;
  readonly save: boolean;
}

/** Reads the words of the command line. Throws an Error with what is wrong with them. */
export function readArguments(args: readonly string[]): Arguments {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      scale: { type: 'string' },
      rounds: { type: 'string', default: '3' },
      json: { type: 'boolean', default: false },
      save: { type: 'boolean', default: false },
    },
  });
  const { quick, json, save } = values;
  if (quick && values.scale !== undefined) throw new Error('--quick is --scale 0.1: give one of them');
  const scale = Number(values.scale ?? (quick ? 0.1 : 1));
  if (!(scale > 0 && scale <= 1)) throw new Error(`--scale is ${values.scale}, expected more than 0 and at most 1`);
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new Error(`--rounds is ${values.rounds}, expected a whole number from 1 on`);
  return { chosen: choose(positionals), scale, rounds, json, save };
}

function choose(names: readonly string[]): readonly Measurement[] {
  if (names.length === 0) return measurements;
  const found = names.flatMap((name) => {
    const some = findMeasurements(name);
    if (some.length === 0) throw new Error(`nothing that is measured is called ${name}`);
    return some;
  });
  return measurements.filter((measurement) => found.includes(measurement));
}
