import type { CronItem } from 'graphile-worker';
import type { Config } from './config/schema.ts';

/** The scheduled runs: each at most once at a time, and none made up for that was missed. */
export function crontab({ sweep, rescan, reconcile }: Config['schedule']): CronItem[] {
  const item = (task: string, match: string, jobKey: string, payload = {}): CronItem => ({
    task,
    match,
    identifier: task,
    payload,
    options: { jobKey, maxAttempts: 1, backfillPeriod: 0 },
  });
  return [
    item('sweep', sweep, 'sweep'),
    item('rescan', rescan, 'rescan all', { all: true }),
    item('reconcile', reconcile, 'reconcile all', { all: true }),
    item('prune', '17 0 * * *', 'prune'),
  ];
}
