import { createRequire } from 'node:module';
import { z } from 'zod';

/** When to do something: five cron fields (minute, hour, day, month, day of week), UTC, as graphile-worker reads them. */
export const cron = z.string().refine(isCron, {
  error: 'expected five cron fields (minute, hour, day, month, day of week), such as "*/15 * * * *"',
});

const require = createRequire(import.meta.url);

function isCron(match: string): boolean {
  try {
    cronMatcher(match);
    return true;
  } catch {
    return false;
  }
}

/**
 * Says of a minute whether cron fields name it; throws for what are none. The worker is loaded only where a schedule is
 * written down: most commands need nothing else of it.
 */
export function cronMatcher(fields: string): (minute: Date) => boolean {
  const { parseCronItem }: typeof import('graphile-worker') = require('graphile-worker');
  const { match } = parseCronItem({ task: 'sweep', match: fields });
  return (at) =>
    match({
      min: at.getUTCMinutes(),
      hour: at.getUTCHours(),
      date: at.getUTCDate(),
      month: at.getUTCMonth() + 1,
      dow: at.getUTCDay(),
    });
}
