import { createHash } from 'node:crypto';

/** What an id that is written aside ends in: the same for a key each time, and another for every other. */
export function asideMark(key: string): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 24);
}
