import type { Command } from 'commander';
import { Daemon } from '../daemon.ts';
import { isPassing } from '../database/sqlstate.ts';
import { createLog } from '../log.ts';
import { runOnce } from '../once.ts';
import { type CommonOptions, defineCommand, print, withConfig, withDatabase } from './command.ts';
import { connect } from './connection.ts';

/** `staffetta run [--once]`: the daemon, or one drain of everything that is due. */
export function runCommand(): Command {
  return defineCommand('run', 'carry changes to the targets until stopped')
    .option('--once', 'deliver everything that is due, then exit: 1 while something is still due')
    .action((options: CommonOptions & { once?: boolean }) => (options.once ? once(options) : daemon(options)));
}

async function once(options: CommonOptions): Promise<void> {
  const stop = new AbortController();
  const release = onSignal(() => stop.abort());
  try {
    await withDatabase(options, async ({ loaded }) => {
      const left = await runOnce(loaded, { log: createLog(), stop: stop.signal });
      if (options.json) print(options, { ...left });
      else console.log(`${left.done} delivered, ${left.remaining} still to be delivered, ${left.parked} parked`);
      if (left.remaining > 0) process.exitCode = 1;
    });
  } finally {
    release();
  }
}

async function daemon(options: CommonOptions): Promise<void> {
  const stopped = Promise.withResolvers<void>();
  const release = onSignal(() => stopped.resolve());
  try {
    await withConfig(options, async (loaded) => {
      const { url, listen = url } = loaded.config.database;
      await (await connect(listen)).end(); // one that cannot be reached is named in words
      const log = createLog();
      // graphile-worker does not wait until the end of a job is recorded. A connection lost at that moment is no reason to
      // end: the job's key is simply used again.
      process.on('unhandledRejection', (error) => {
        if (!isPassing(error)) throw error;
        log.warn(
          { reason: error instanceof Error ? error.message : String(error) },
          'the end of a job was not recorded',
        );
      });
      const daemon = await Daemon.start(loaded, { log });
      log.info({ targets: Object.keys(loaded.config.targets) }, 'running');
      await stopped.promise;
      log.info('stopping: finishing what is in flight');
      await daemon.stop();
      log.info('stopped');
    });
  } finally {
    release();
  }
}

/** Calls `stop` on SIGTERM and SIGINT; answers with the function that ends this. */
function onSignal(stop: () => void): () => void {
  process.on('SIGTERM', stop).on('SIGINT', stop);
  return () => {
    process.off('SIGTERM', stop).off('SIGINT', stop);
  };
}
