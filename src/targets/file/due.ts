/** When a file is due: of several conditions, whichever is met first. */
import { cronMatcher } from '../../config/cron.ts';
import type { FileConfig } from '../../config/file.ts';

/** What waits for a file. */
export interface Waiting {
  readonly count: number;
  /** Since when the first of it waits. */
  readonly since: Date;
}

const minute = 60_000;

/** No older moments are looked for: whoever waits so long has missed one. */
const longest = 366 * 24 * 60 * minute;

/** How many of the waiting records go into a file now; 0: none yet. */
export function dueNow({ every, count, at }: FileConfig['publish'], waiting: Waiting, now: Date): number {
  if (waiting.count === 0) return 0;
  if (count !== undefined && waiting.count >= count) return count;
  const atOnce = every === undefined && count === undefined && at === undefined;
  const isOld = every !== undefined && now.getTime() - waiting.since.getTime() >= every;
  return atOnce || isOld || (at !== undefined && cameBetween(at, waiting.since, now)) ? waiting.count : 0;
}

/** Whether one of the moments that cron fields name came after `from`, up to `to`. */
function cameBetween(fields: string, from: Date, to: Date): boolean {
  if (to.getTime() - from.getTime() > longest) return true;
  const matches = cronMatcher(fields);
  const next = (Math.floor(from.getTime() / minute) + 1) * minute;
  for (let time = next; time <= to.getTime(); time += minute) if (matches(new Date(time))) return true;
  return false;
}
