/** What an administrator says about what waits for a word. */
import { setTimeout } from 'node:timers/promises';
import pg from 'pg';
import { crowd } from './application.ts';
import type { TargetName } from './desired.ts';
import type { Site } from './site.ts';

/** A delivery that waits for a word. */
interface Held {
  readonly entity: string;
  readonly key: string;
}

/** What waits for a word on a target. Where nothing does, it is looked again for so many milliseconds. */
export async function findHeld({ query }: Site, target: TargetName, patience: number): Promise<Held[]> {
  for (const until = performance.now() + patience; ; await setTimeout(50)) {
    const held = await query<Held & pg.QueryResultRow>(
      'select entity, key from staffetta.held where target = $1 order by entity, key',
      [target],
    );
    if (held.length > 0 || performance.now() > until) return held;
  }
}

/** Approves these, or every other one of them. */
export async function approve(
  site: Site,
  target: TargetName,
  held: readonly Held[],
  share: 'all' | 'some',
): Promise<void> {
  const meant = held.filter((_, index) => share === 'all' || index % 2 === 0);
  for (const [entity, some] of Map.groupBy(meant, ({ entity }) => entity)) {
    site.followed(target).witness.allow(entity, some.length);
    const keys = some.map(({ key }) => key);
    await say(site, 'approve', target, entity, keys);
  }
}

/** Discards the people of these who belong to the crowd; answers with their keys. */
export async function discardCrowd(site: Site, target: TargetName, held: readonly Held[]): Promise<string[]> {
  const keys = held.flatMap(({ entity, key }) => (entity === 'person' && Number(key) >= crowd ? [key] : []));
  if (keys.length > 0) await say(site, 'discard', target, 'person', keys);
  return keys;
}

/** Says it, unless the target is retired meanwhile. */
async function say(
  { query }: Site,
  word: 'approve' | 'discard',
  target: TargetName,
  entity: string,
  keys: readonly string[],
): Promise<void> {
  try {
    await query(`select staffetta.${word}($1, $2, $3)`, [target, entity, keys]);
  } catch (error) {
    if (!(error instanceof pg.DatabaseError && error.code === 'ST001')) throw error;
  }
}
