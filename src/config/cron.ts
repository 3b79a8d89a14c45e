import { createRequire } from 'node:module';
import { z } from 'zod';

/** When to do something: five cron fields (minute, hour, day, month, day of week), UTC, as graphile-worker reads them. */
export const cron = z.string().refine(isCron, {
  error: 'expected five cron fields (minute, hour, day, month, day of week), such as "*/15 * * * *"',
});

const require = createRequire(import.meta.url);

/** The worker is loaded only where a schedule is written down: most commands need nothing else of it. */
function isCron(match: string): boolean {
  const { parseCronItem }: typeof import('graphile-worker') = require('graphile-worker');
  try {
    parseCronItem({ task: 'sweep', match });
    return true;
  } catch {
    return false;
  }
}
