/**
 * The right to make files, which one process has at a time. It is SQLite's lock of a file that nothing is ever written
 * to: the operating system takes it back from whoever ends, however that went, so nobody has to judge who is still alive.
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isBusy, Sqlite } from './sqlite.ts';
import { hidden } from './store.ts';

/** Milliseconds before it is looked again whether another has done. */
const patience = 50;

/** Does `work` when nobody else makes files in the folder. Throws what `signal` says when it ends before. */
export async function alone<T>(folder: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  const lock = new Sqlite(join(folder, hidden, 'publishing.sqlite'));
  try {
    while (!isTaken(lock)) await sleep(patience, undefined, { signal });
    return await work();
  } finally {
    lock.close();
  }
}

function isTaken(lock: Sqlite): boolean {
  try {
    lock.execute('begin exclusive');
    return true;
  } catch (error) {
    if (isBusy(error)) return false;
    throw error;
  }
}
