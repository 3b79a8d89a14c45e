/** What only an administrator can do where a history has come to a stop. */
import { approve, findHeld } from './approval.ts';
import type { TargetName } from './desired.ts';
import { removeTwin } from './inhabitants.ts';
import type { Site } from './site.ts';

/** Does what is asked for, and has it tried again. */
export async function attend(site: Site): Promise<void> {
  for (const target of site.targets.keys()) await approve(site, target, await findHeld(site, target, 0), 'all');
  const parked = await site.query<{ target: TargetName; key: string; error: string }>(
    `select target, key, error from staffetta.delivery where state = 'parked' and entity = 'person'`,
  );
  for (const { target, key, error } of parked) {
    const directory = site.targets.get(target)?.directory;
    if (!directory) continue;
    if (!error.includes('existing entries match')) continue;
    await removeTwin(directory, key);
    await site.query('select staffetta.retry($1, $2, $3)', [target, 'person', [key]]);
  }
}
