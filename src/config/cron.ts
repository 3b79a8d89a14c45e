import { parseCronItem } from 'graphile-worker';
import { z } from 'zod';

/** When to do something: five cron fields (minute, hour, day, month, day of week), UTC, as graphile-worker reads them. */
export const cron = z.string().refine(isCron, {
  error: 'expected five cron fields (minute, hour, day, month, day of week), such as "*/15 * * * *"',
});

function isCron(match: string): boolean {
  try {
    parseCronItem({ task: 'sweep', match });
    return true;
  } catch {
    return false;
  }
}
