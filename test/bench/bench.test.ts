import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readArguments } from '../../bench/arguments.ts';
import { describeGoal, type Figure, judge } from '../../bench/figure.ts';
import { findMeasurements, measurements } from '../../bench/measurements.ts';
import { formatMarkdown, formatReport, toResults } from '../../bench/report.ts';
import { percentile, summarise } from '../../bench/summary.ts';
import { until } from '../setup/until.ts';

const folder = join(import.meta.dirname, '..', '..', 'bench');

describe('a figure', () => {
  test('has a median, and a percentile between two values', () => {
    expect(percentile([3, 1, 2], 0.5)).toBe(2);
    expect(percentile([1, 2, 3, 4], 0.5)).toBe(2.5);
    expect(percentile([10, 20], 0.99)).toBeCloseTo(19.9);
    expect(percentile([], 0.5)).toBeNaN();
  });

  test('reaches its goal, misses it or is better, upwards and downwards', () => {
    const fast = { atLeast: 0.8, better: 0.9 };
    expect([0.79, 0.8, 0.9].map((value) => judge(fast, value))).toEqual(['missed', 'reached', 'better']);
    const soon = { atMost: 20, better: 8 };
    expect([21, 20, 8].map((value) => judge(soon, value))).toEqual(['missed', 'reached', 'better']);
    expect(judge({ atLeast: 3 }, 30)).toBe('reached');
    expect(describeGoal(soon)).toBe('≤ 20, better ≤ 8');
  });

  test('is shown to people, to programs and in the documentation', () => {
    const lag: Figure = { name: 'latency.p50_ms', unit: 'ms', meaning: 'a lag', goal: { atMost: 20, better: 8 } };
    const rate: Figure = { name: 'ingest.events_per_s', unit: '/s', meaning: 'a rate' };
    const summaries = [summarise(lag, [9, 21, 10.00001]), summarise(rate, [40_000])];
    expect(formatReport(summaries).split('\n').at(1)).toMatch(
      /^latency\.p50_ms +10 +9 +21 +ms +3 +≤ 20, better ≤ 8 +reached$/,
    );
    expect(toResults(summaries)).toEqual({
      'latency.p50_ms': { median: 10, min: 9, max: 21, unit: 'ms', rounds: 3 },
      'ingest.events_per_s': { median: 40_000, min: 40_000, max: 40_000, unit: '/s', rounds: 1 },
    });
    expect(formatMarkdown(summaries).split('\n').slice(2)).toEqual([
      '| `latency.p50_ms` | a lag | ≤ 20, better ≤ 8 | 10 ms (9 – 21) |',
      '| `ingest.events_per_s` | a rate | reported | 40000 /s |',
    ]);
  });
});

describe('the measurements', () => {
  const figures = measurements.flatMap((measurement) => measurement.figures);
  const names = (found: readonly { name: string }[]) => found.map(({ name }) => name);

  test('have names of their own, and so have their figures', () => {
    for (const all of [names(measurements), names(figures)]) expect(new Set(all).size).toBe(all.length);
  });

  test('are found by their name, or by the beginning of a name of their figures', () => {
    expect(names(findMeasurements('latency'))).toEqual(['latency']);
    expect(names(findMeasurements('latency.'))).toEqual(['latency', 'interactive']);
    expect(names(findMeasurements('memory.daemon_mib'))).toEqual(['memory']);
    expect(findMeasurements('nonsense')).toEqual([]);
  });

  test('are explained in the documentation, with what they must reach', async () => {
    const lines = (await readFile(join(folder, 'README.md'), 'utf8')).split('\n');
    for (const { name, meaning, goal } of figures) {
      const line = lines.find((text) => text.startsWith(`| \`${name}\``));
      expect(line, `bench/README.md on ${name}`).toContain(meaning);
      expect(line).toContain(goal ? describeGoal(goal) : 'reported');
    }
  });
});

describe('npm run bench', { timeout: 120_000 }, () => {
  let temporary: string;
  const running = new Set<ChildProcess>();

  beforeEach(async () => {
    temporary = await mkdtemp(join(tmpdir(), 'staffetta-bench-'));
    await chmod(temporary, 0o711); // PostgreSQL may run as another user
  });
  afterEach(async () => {
    for (const child of running) child.kill('SIGKILL');
    await rm(temporary, { recursive: true });
  });

  function bench(...args: readonly string[]) {
    const child = spawn(process.execPath, [join(folder, 'bench.ts'), ...args], {
      env: { ...process.env, TMPDIR: temporary },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.add(child);
    const printed = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const)
      child[stream].setEncoding('utf8').on('data', (text: string) => {
        printed[stream] += text;
      });
    const ended = once(child, 'close').then(([code]: unknown[]) => {
      running.delete(child);
      return code;
    });
    return { child, printed, ended };
  }

  test('measures, answers with its figures, and leaves nothing behind', async () => {
    const { printed, ended } = bench('cost', '--scale', '0.005', '--rounds', '2', '--json');
    expect({ code: await ended, printed }).toMatchObject({ code: 0 });
    expect(JSON.parse(printed.stdout)).toMatchObject({
      'cost.cpu_ms_per_change': { median: expect.any(Number), unit: 'ms', rounds: 2 },
      'cost.wal_bytes_per_change': { min: expect.any(Number), max: expect.any(Number), unit: 'B', rounds: 2 },
    });
    expect(printed.stderr).toContain('cost: initial load');
    expect(await readdir(temporary)).toEqual([]);
  });

  test('ends when it is asked to, and leaves nothing behind', async () => {
    const { child, printed, ended } = bench('cost', '--scale', '0.005');
    await until(
      () => printed.stderr,
      (text) => text.includes('cost: initial load'),
      { patience: 100_000 },
    );
    child.kill('SIGINT');
    expect(await ended).toBe(130);
    expect(await readdir(temporary)).toEqual([]);
  });

  test('tells who calls it wrongly how it is called', async () => {
    const { printed, ended } = bench('nonsense');
    expect(await ended).toBe(2);
    expect(printed.stdout).toBe('');
    expect(printed.stderr).toMatch(/^nothing that is measured is called nonsense\nnpm run bench -- /);
  });
});

describe('the arguments', () => {
  test('choose what is measured, how large and how often', () => {
    const { chosen, ...rest } = readArguments([]);
    expect(chosen).toBe(measurements);
    expect(rest).toEqual({ scale: 1, rounds: 3, json: false, save: false });
    const quick = readArguments(['rescan', 'bulk', '--quick', '--rounds', '5', '--json', '--save']);
    expect(quick).toMatchObject({ scale: 0.1, rounds: 5, json: true, save: true });
    expect(quick.chosen.map(({ name }) => name)).toEqual(['bulk', 'rescan']);
  });

  test.for([
    [['--scale', '2'], '--scale is 2, expected more than 0 and at most 1'],
    [['--scale', 'half'], '--scale is half, expected more than 0 and at most 1'],
    [['--quick', '--scale', '0.1'], '--quick is --scale 0.1: give one of them'],
    [['--rounds', '0'], '--rounds is 0, expected a whole number from 1 on'],
    [['--slow'], '--slow'],
  ] as const)('refuse %j', ([args, message]) => {
    expect(() => readArguments(args)).toThrow(message);
  });
});
