import { Daemon } from '../daemon.ts';
import type { PumpEvents } from '../deliver/pump.ts';
import { createLog } from '../log.ts';
import { untilIdle } from './idle.ts';
import type { Screen } from './screen.ts';
import { count, type Stage } from './stage.ts';

/**
 * Starts the daemon and has it carry everybody to the empty directory: it stays at work until `stack` is disposed of.
 *
 * @param settled told of every settled batch from then on, too
 * @param level of the daemon's log, on standard error; the environment's STAFFETTA_LOG comes first
 * @returns entries per second, from the start of the daemon until nothing was owed any more
 */
export async function loadInitially(
  { loaded, owner, entries }: Stage,
  screen: Screen,
  stack: AsyncDisposableStack,
  { level, stop, settled }: { level: string; stop: AbortSignal; settled?: PumpEvents['settled'] },
): Promise<{ readonly ms: number; readonly perSecond: number }> {
  return await screen.step('initial load', async () => {
    const progress = screen.progress(entries);
    const written = new Set<string>();
    let loading = true;
    const started = performance.now();
    try {
      const daemon = await Daemon.start(loaded, {
        log: createLog(process.env.STAFFETTA_LOG ?? level),
        settled(target, outcomes) {
          for (const { entity, key, outcome } of outcomes) if (outcome === 'done') written.add(`${entity} ${key}`);
          if (loading) progress.update(written.size);
          else settled?.(target, outcomes);
        },
      });
      stack.defer(() => daemon.stop());
      await untilIdle(owner, 'The initial load', stop);
    } finally {
      loading = false;
      progress.end();
    }
    const ms = performance.now() - started;
    const perSecond = entries / (ms / 1_000);
    return { ms, perSecond, note: `${count(entries)} entries, ${count(perSecond)} a second` };
  });
}
