import { Command } from 'commander';
import { Interruption } from '../demo/interruption.ts';
import { Screen } from '../demo/screen.ts';
import { UserError } from './user-error.ts';
import { wholeNumber } from './whole-number.ts';

interface DemoOptions {
  readonly once?: boolean;
  readonly json?: boolean;
  readonly people: number;
  readonly groups: number;
}

/** `staffetta demo [--once [--json]]`: a PostgreSQL, an OpenLDAP and Staffetta between them, on this machine for a while. */
export function demoCommand(): Command {
  return new Command('demo')
    .description('start a PostgreSQL and an OpenLDAP with a university in them, and watch changes arrive')
    .option('--once', 'do a scripted tour and compare every entry at the end, instead of running until Ctrl-C')
    .option('--json', 'with --once: answer with one JSON document')
    .option('--people <number>', 'how many people, from 50 on', wholeNumber(50), 2_000)
    .option('--groups <number>', 'how many groups, from 3 on', wholeNumber(3), 60)
    .exitOverride()
    .action(demo);
}

async function demo({ once, json, people, groups }: DemoOptions): Promise<void> {
  if (json && !once) throw new UserError('--json goes with --once: until Ctrl-C there is no end to answer at', 2);
  using interruption = new Interruption();
  const stop = interruption.signal;
  const screen = new Screen(json ? process.stderr : process.stdout, stop);
  try {
    const { runLive, runTour, summarise } = await load();
    if (!once) return await runLive({ people, groups }, screen, stop);
    const result = await runTour({ people, groups }, screen, stop);
    for (const line of summarise(result)) screen.line(line);
    if (json) console.log(JSON.stringify(result, null, 2));
    if (result.mismatches > 0) process.exitCode = 1;
  } catch (error) {
    // Whatever else failed, it was because somebody wanted it to end.
    if (interruption.exitCode === undefined) throw error;
    screen.line('Stopped. Nothing is left behind.');
    process.exitCode = interruption.exitCode;
  }
}

/** What it plays is loaded when somebody wants it: it needs packages that only a checkout has, and no other command does. */
async function load() {
  try {
    const [{ runLive }, { runTour }, { summarise }] = await Promise.all([
      import('../demo/live.ts'),
      import('../demo/tour.ts'),
      import('../demo/summary.ts'),
    ]);
    return { runLive, runTour, summarise };
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND';
    if (!isMissing) throw error;
    throw new UserError(
      `The demo needs packages that are not installed (${error.message}). Run \`npm install\` in the checkout, without leaving out the development dependencies.`,
      2,
    );
  }
}
