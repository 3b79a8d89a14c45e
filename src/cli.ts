#!/usr/bin/env node
/**
 * The command table. Each command lives in a file of its own, which is loaded when it is the one that was asked for; errors
 * become messages and exit codes here and nowhere else.
 */
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { Command } from 'commander';
import manifest from '../package.json' with { type: 'json' };

// What was compiled once is not compiled again; where this folder cannot be written, it is, and nothing else is different.
enableCompileCache(join(import.meta.dirname, '../node_modules/.cache/compiled'));

const groups: Readonly<Record<string, Readonly<Record<string, () => Promise<Command>>>>> = {
  'Set up:': {
    init: async () => (await import('./commands/init.ts')).initCommand(),
    apply: async () => (await import('./commands/apply.ts')).applyCommand(),
    ping: async () => (await import('./commands/ping.ts')).pingCommand(),
    adopt: async () => (await import('./commands/adopt.ts')).adoptCommand(),
    'password-key': async () => (await import('./commands/password-key.ts')).passwordKeyCommand(),
    backend: async () => (await import('./commands/backend.ts')).backendCommand(),
  },
  'Run:': {
    run: async () => (await import('./commands/run.ts')).runCommand(),
    demo: async () => (await import('./commands/demo.ts')).demoCommand(),
  },
  'Look:': {
    status: async () => (await import('./commands/status.ts')).statusCommand(),
    held: async () => (await import('./commands/held.ts')).heldCommand(),
    explain: async () => (await import('./commands/explain.ts')).explainCommand(),
    journal: async () => (await import('./commands/journal.ts')).journalCommand(),
  },
  'Do again:': {
    replay: async () => (await import('./commands/replay.ts')).replayCommand(),
    retry: async () => (await import('./commands/retry.ts')).retryCommand(),
    rescan: async () => (await import('./commands/rescan.ts')).rescanCommand(),
    reconcile: async () => (await import('./commands/reconcile.ts')).reconcileCommand(),
    sweep: async () => (await import('./commands/sweep.ts')).sweepCommand(),
  },
  'Say the word:': {
    approve: async () => (await import('./commands/approve.ts')).approveCommand(),
    'set-password': async () => (await import('./commands/set-password.ts')).setPasswordCommand(),
    discard: async () => (await import('./commands/discard.ts')).discardCommand(),
  },
  'Stop and go:': {
    pause: async () => (await import('./commands/pause.ts')).pauseCommand(),
    resume: async () => (await import('./commands/resume.ts')).resumeCommand(),
    forget: async () => (await import('./commands/forget.ts')).forgetCommand(),
    erase: async () => (await import('./commands/erase.ts')).eraseCommand(),
    'accept-database': async () => (await import('./commands/accept-database.ts')).acceptDatabaseCommand(),
    'accept-target': async () => (await import('./commands/accept-target.ts')).acceptTargetCommand(),
  },
};

const program = new Command('staffetta')
  .description('Carries identity changes from PostgreSQL to the systems that need them.')
  .version(manifest.version)
  .helpOption('-h, --help', 'show help; `staffetta COMMAND --help` shows that of a command')
  .helpCommand(false)
  .addHelpText('after', '\nExit codes: 0 done, 1 the work failed, 2 wrong usage or configuration.')
  .exitOverride();

const table = Object.entries(groups).flatMap(([heading, commands]) =>
  Object.entries(commands).map(([name, load]) => ({ heading, name, load })),
);
const asked = table.filter(({ name }) => name === process.argv[2]);
for (const { heading, load } of asked.length > 0 ? asked : table) program.addCommand((await load()).helpGroup(heading));

// Whoever reads the output may stop early, as `head` does.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

try {
  await program.parseAsync();
} catch (error) {
  const { describeFailure } = await import('./commands/failure.ts');
  const { message, exitCode } = describeFailure(error);
  if (message !== undefined) console.error(message);
  process.exitCode = exitCode;
}
