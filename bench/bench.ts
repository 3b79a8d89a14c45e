/** `npm run bench`: measures Staffetta beside what others would do, on servers of its own that are gone when it ends. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { formatDuration } from '../src/demo/duration.ts';
import { Interruption } from '../src/demo/interruption.ts';
import { type Arguments, readArguments, usage } from './arguments.ts';
import { describeMachine, type Machine } from './machine.ts';
import { formatMarkdown, formatReport, type Results, toResults } from './report.ts';
import { Run } from './run.ts';

const results = fileURLToPath(new URL('results/', import.meta.url));

process.exitCode = await bench();

/** Answers with the exit code. */
async function bench(): Promise<number> {
  let wanted: Arguments;
  try {
    wanted = readArguments(process.argv.slice(2));
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n${usage}`);
    return 2;
  }
  using interruption = new Interruption();
  const failed = await measure(wanted, interruption);
  return interruption.exitCode ?? (failed ? 1 : 0);
}

/** Answers whether a measurement has failed, which keeps no other from being made. */
async function measure(wanted: Arguments, interruption: Interruption): Promise<boolean> {
  const { scale, rounds } = wanted;
  const began = performance.now();
  const machine = await describeMachine();
  let current = '';
  const say = (line: string) =>
    console.error(`${formatDuration(performance.now() - began).padStart(7)}  ${current}: ${line}`);
  let failed = false;
  await using run = new Run({ scale, rounds, stop: interruption.signal, say });
  for (const { name, measure } of wanted.chosen) {
    current = name;
    try {
      await using stack = new AsyncDisposableStack();
      await measure(run, stack);
    } catch (error) {
      // Whatever else failed, it was because somebody wanted it to end.
      if (interruption.exitCode !== undefined) break;
      failed = true;
      say(`FAILED: ${error instanceof Error ? error.message : error}`);
    }
  }
  const { summaries } = run;
  const figures = toResults(summaries);
  if (wanted.save && interruption.exitCode === undefined)
    save({ at: new Date().toISOString(), scale, machine, figures }, formatMarkdown(summaries));
  if (wanted.json) console.log(JSON.stringify(figures, null, 2));
  else if (summaries.length > 0) console.log(formatReport(summaries));
  return failed;
}

/** What `--save` writes. */
interface Saved {
  readonly at: string;
  readonly scale: number;
  readonly machine: Machine;
  readonly figures: Results;
}

function save(result: Saved, table: string): void {
  mkdirSync(results, { recursive: true });
  const file = `${results}${result.at.replaceAll(/[-:]|\.\d+/g, '')}`;
  writeFileSync(`${file}.json`, `${JSON.stringify(result, null, 2)}\n`);
  writeFileSync(`${file}.md`, `${table}\n`);
  console.error(`saved as ${file}.json, and the table as ${file}.md`);
}
