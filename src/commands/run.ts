import type { Command } from 'commander';
import { isPassing } from '../database/sqlstate.ts';
import { growSparingly } from '../heap.ts';
import { createLog } from '../log.ts';
import { runOnce } from '../once.ts';
import { Service } from '../service.ts';
import { type CommonOptions, defineCommand, load, print, withConfig, withDatabase } from './command.ts';
import { connect } from './connection.ts';
import { describeFailure } from './failure.ts';

/** `staffetta run [--once]`: the daemon, which reads its configuration again on SIGHUP; or one drain of everything that is due. */
export function runCommand(): Command {
  return defineCommand('run', 'carry changes to the targets until stopped; SIGHUP reloads the configuration')
    .option('--once', 'deliver everything that is due, then exit: 1 while something is still due')
    .action((options: CommonOptions & { once?: boolean }) => (options.once ? once(options) : daemon(options)));
}

async function once(options: CommonOptions): Promise<void> {
  const stop = new AbortController();
  const release = onSignals({ SIGTERM: () => stop.abort(), SIGINT: () => stop.abort() });
  try {
    await withDatabase(options, async ({ loaded }) => {
      const left = await runOnce(loaded, { log: createLog(), stop: stop.signal });
      if (options.json) print(options, { ...left });
      else console.log(`${left.done} delivered, ${left.remaining} still to be delivered, ${left.parked} parked`);
      if (left.remaining + left.unpublished > 0) process.exitCode = 1;
    });
  } finally {
    release();
  }
}

async function daemon(options: CommonOptions): Promise<void> {
  growSparingly();
  const stopped = Promise.withResolvers<void>();
  const started = Promise.withResolvers<Service>();
  const release = onSignals({
    SIGTERM: stopped.resolve,
    SIGINT: stopped.resolve,
    SIGHUP: () => void started.promise.then((service) => service.reload()),
  });
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
      const service = await Service.start(loaded, {
        log,
        load: () => load(options),
        describe: (error) => describeFailure(error).message ?? '',
      });
      log.info({ targets: Object.keys(loaded.config.targets) }, 'running');
      started.resolve(service);
      await stopped.promise;
      log.info('stopping: finishing what is in flight');
      await service.stop();
      log.info('stopped');
    });
  } finally {
    release();
  }
}

/** Calls a function whenever its signal comes; answers with the function that ends this. */
function onSignals(handlers: Partial<Record<NodeJS.Signals, () => void>>): () => void {
  for (const [signal, handler] of Object.entries(handlers)) process.on(signal, handler);
  return () => {
    for (const [signal, handler] of Object.entries(handlers)) process.off(signal, handler);
  };
}
