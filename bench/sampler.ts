import { setTimeout } from 'node:timers/promises';
import type { Client } from 'ldapts';
import type { Run } from './run.ts';
import type { Site } from './site.ts';
import { nextPhone } from './telephone.ts';

/** Between two looks whether an entry has changed, in milliseconds: no figure is finer than this. */
const interval = 2;
/** A change that takes longer is a failure, in milliseconds. */
const patience = 60_000;

export interface Sampling {
  /** Changes a second. */
  readonly rate: number;
  readonly seconds: number;
  /** Whose telephone number is changed, one after the other. */
  readonly ids: readonly number[];
  /** Whether to go on; asked before each change. */
  readonly while?: () => boolean;
}

/**
 * Changes one person at a time, each in a transaction of its own, at even but not equal distances.
 *
 * @returns for each the milliseconds from its commit until a search found the change in the directory
 */
export async function sampleLatency(run: Run, site: Site, sampling: Sampling): Promise<number[]> {
  await using stack = new AsyncDisposableStack();
  const reader = await site.directory.connect(stack);
  const { rate, seconds, ids, while: goOn = () => true } = sampling;
  const pending: Promise<number>[] = [];
  const began = performance.now();
  for (let count = 0; count < rate * seconds && goOn(); count++) {
    // Up to one distance late, so that no change keeps step with anything that recurs.
    const due = began + ((count + Math.random()) * 1_000) / rate;
    await setTimeout(Math.max(0, due - performance.now()), undefined, { signal: run.stop });
    const id = ids[count % ids.length] ?? 1;
    pending.push(change(run, site, reader, id));
  }
  return await Promise.all(pending);
}

async function change(run: Run, site: Site, reader: Client, id: number): Promise<number> {
  const phone = nextPhone();
  await site.pool.query('update registry.person set phone = $2 where id = $1', [id, phone]);
  const committed = performance.now();
  const search = { filter: `(&(employeeNumber=${id})(telephoneNumber=${phone}))`, attributes: ['1.1'] };
  for (;;) {
    const { searchEntries } = await reader.search(`ou=people,${site.directory.server.suffix}`, search);
    const passed = performance.now() - committed;
    if (searchEntries.length > 0) return passed;
    if (passed > patience) throw new Error(`the change of person ${id} was not there after ${patience / 1_000} s`);
    await setTimeout(interval, undefined, { signal: run.stop });
  }
}
