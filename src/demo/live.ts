/** The demo that stays: everybody is carried to an empty directory, and then each change is shown as it arrives there. */
import { once } from 'node:events';
import type { UniversitySize } from '../../examples/university/load.ts';
import { moment } from './carried.ts';
import { formatChange } from './change-line.ts';
import { loadInitially } from './initial-load.ts';
import { invite } from './invitation.ts';
import { type JournalEntry, JournalFollower } from './journal-follower.ts';
import type { Screen } from './screen.ts';
import { count, setStage } from './stage.ts';

/** At most so many lines for what arrives at once. */
const most = 20;

/** Runs until `stop` is aborted; everything it started is gone when it returns. */
export async function runLive(size: UniversitySize, screen: Screen, stop: AbortSignal): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const stage = await setStage(size, screen, stack);
  const show = (entries: readonly JournalEntry[]) => {
    for (const entry of entries.slice(0, most)) screen.line(formatChange(entry, stage.directory.suffix, screen));
    if (entries.length > most) screen.line(screen.style('dim', `… and ${count(entries.length - most)} more`));
  };
  let follower: JournalFollower | undefined;
  stack.defer(() => follower?.idle());
  await loadInitially(stage, screen, stack, { level: 'warn', stop, settled: () => follower?.ring() });
  follower = new JournalFollower(stage.owner, await moment(stage.owner), show);
  screen.line();
  for (const line of await invite(stage)) screen.line(line);
  screen.line();
  screen.line(screen.style('bold', 'Each change is shown below when it has arrived. Ctrl-C ends the demo.'));
  if (!stop.aborted) await once(stop, 'abort');
  screen.line();
  screen.line('Stopping …');
  await stack.disposeAsync();
  screen.line('Stopped. Nothing is left behind.');
}
