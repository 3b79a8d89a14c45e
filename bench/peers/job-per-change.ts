import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type pg from 'pg';
import { createPool } from '../../src/database/pool.ts';
import { createScratch, outcome } from '../../src/demo/scratch.ts';
import type { SlapdServer } from '../../src/demo/slapd.ts';
import { addJobsInTrigger } from './triggers.ts';

const program = fileURLToPath(new URL('worker.ts', import.meta.url));
const log = 'worker.log';

/** A system that adds a job for each change of a university's people; its worker is a process of its own. */
export class JobPerChange {
  /** Connections of the database's superuser. */
  readonly pool: pg.Pool;

  private constructor(pool: pg.Pool) {
    this.pool = pool;
  }

  /** Resolves when the worker is at work; it is gone when `stack` is disposed of. */
  static async start(stack: AsyncDisposableStack, url: string, directory: SlapdServer): Promise<JobPerChange> {
    await addJobsInTrigger(url);
    const pool = createPool(url, 'staffetta bench');
    stack.defer(() => pool.end());
    const scratch = await createScratch('peer');
    stack.defer(() => scratch.remove());
    const env = {
      DATABASE_URL: url,
      LDAP_URL: directory.url,
      LDAP_BIND_DN: directory.bind.dn,
      LDAP_PASSWORD: directory.bind.password,
      LDAP_SUFFIX: directory.suffix,
    };
    const worker = scratch.start(process.execPath, [program], { log, env });
    while (!(await scratch.printed(log)).includes('at work')) {
      if (worker.exitCode !== null || worker.signalCode !== null)
        throw new Error(
          `the peer's worker did not start (${outcome(worker)}). It says:\n${await scratch.printed(log)}`,
        );
      await setTimeout(20);
    }
    return new JobPerChange(pool);
  }

  /** Whether no job is left. Throws where one has failed. */
  async isDone(): Promise<boolean> {
    const { rows } = await this.pool.query<{ left: boolean; error: string | null }>(
      `select exists (select from graphile_worker._private_jobs) as left,
         (select last_error from graphile_worker._private_jobs where last_error is not null limit 1) as error`,
    );
    const [seen] = rows;
    if (seen?.error) throw new Error(`a job of the peer failed: ${seen.error}`);
    return seen?.left === false;
  }
}
