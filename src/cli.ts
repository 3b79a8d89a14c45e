#!/usr/bin/env node
/** The command table. Each command lives in a file of its own; errors become messages and exit codes here and nowhere else. */
import { Command } from 'commander';
import manifest from '../package.json' with { type: 'json' };
import { acceptDatabaseCommand } from './commands/accept-database.ts';
import { acceptTargetCommand } from './commands/accept-target.ts';
import { adoptCommand } from './commands/adopt.ts';
import { applyCommand } from './commands/apply.ts';
import { approveCommand } from './commands/approve.ts';
import { demoCommand } from './commands/demo.ts';
import { discardCommand } from './commands/discard.ts';
import { eraseCommand } from './commands/erase.ts';
import { explainCommand } from './commands/explain.ts';
import { describeFailure } from './commands/failure.ts';
import { forgetCommand } from './commands/forget.ts';
import { heldCommand } from './commands/held.ts';
import { initCommand } from './commands/init.ts';
import { journalCommand } from './commands/journal.ts';
import { pauseCommand } from './commands/pause.ts';
import { pingCommand } from './commands/ping.ts';
import { reconcileCommand } from './commands/reconcile.ts';
import { replayCommand } from './commands/replay.ts';
import { rescanCommand } from './commands/rescan.ts';
import { resumeCommand } from './commands/resume.ts';
import { retryCommand } from './commands/retry.ts';
import { runCommand } from './commands/run.ts';
import { statusCommand } from './commands/status.ts';
import { sweepCommand } from './commands/sweep.ts';

const groups: Readonly<Record<string, readonly Command[]>> = {
  'Set up:': [initCommand(), applyCommand(), pingCommand(), adoptCommand()],
  'Run:': [runCommand(), demoCommand()],
  'Look:': [statusCommand(), heldCommand(), explainCommand(), journalCommand()],
  'Do again:': [replayCommand(), retryCommand(), rescanCommand(), reconcileCommand(), sweepCommand()],
  'Say the word:': [approveCommand(), discardCommand()],
  'Stop and go:': [
    pauseCommand(),
    resumeCommand(),
    forgetCommand(),
    eraseCommand(),
    acceptDatabaseCommand(),
    acceptTargetCommand(),
  ],
};

const program = new Command('staffetta')
  .description('Carries identity changes from PostgreSQL to the systems that need them.')
  .version(manifest.version)
  .helpOption('-h, --help', 'show help; `staffetta COMMAND --help` shows that of a command')
  .helpCommand(false)
  .addHelpText('after', '\nExit codes: 0 done, 1 the work failed, 2 wrong usage or configuration.')
  .exitOverride();

for (const [heading, commands] of Object.entries(groups)) {
  for (const command of commands) program.addCommand(command.helpGroup(heading));
}

// Whoever reads the output may stop early, as `head` does.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

try {
  await program.parseAsync();
} catch (error) {
  const { message, exitCode } = describeFailure(error);
  if (message !== undefined) console.error(message);
  process.exitCode = exitCode;
}
