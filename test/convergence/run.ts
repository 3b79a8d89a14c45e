/**
 * The convergence run: random histories against a real PostgreSQL, a real slapd and real daemons, until N have converged
 * or one has not (`--keep-going`: or all the same). `--seed S` gives the same histories again: the first has the seed S, the next S + 1 ….
 */
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import pg from 'pg';
import { startPostgres } from '../../src/demo/postgres.ts';
import { describeHistory, history } from './history.ts';
import { tryHistory } from './trial.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '200' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    'keep-going': { type: 'boolean', default: false },
  },
});
const [runs, first] = [Number(values.runs), Number(values.seed)];
if (!Number.isInteger(runs) || runs < 1 || !Number.isInteger(first)) {
  console.error('--runs and --seed want whole numbers: npm run test:convergence -- --runs 200 --seed 1');
  process.exit(2);
}

// Commits are waited for: what is lost with an immediate stop is then only what Staffetta may lose.
const server = await startPostgres({ durable: false, settings: { synchronous_commit: 'on' } });
const failed: number[] = [];
let stopping = false;
let done = 0;
// The history at hand is played to its end, so that no daemon of it is left behind.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => (stopping = true));
try {
  const goOn = () => !stopping && (failed.length === 0 || values['keep-going']);
  for (; done < runs && goOn(); done++) if (!(await converges(first + done))) failed.push(first + done);
} finally {
  await server.close();
}
console.log(
  failed.length === 0 ? `all of ${done} histories converged` : `did not converge: seeds ${failed.join(', ')}`,
);
process.exitCode = failed.length === 0 && done === runs ? 0 : 1;

async function converges(seed: number): Promise<boolean> {
  const [planned] = fc.sample(history, { seed, numRuns: 1 });
  if (!planned) throw new Error('no history was made');
  const began = performance.now();
  const database = await createDatabase(`history_${seed}`);
  const restart = async (mode: 'fast' | 'immediate', away: number) => {
    await server.stop(mode);
    await setTimeout(away);
    await server.start();
  };
  const { findings, traces, swept } = await tryHistory(planned, { database, restart });
  const took = ((performance.now() - began) / 1000).toFixed(1);
  console.log(`history ${seed}: ${findings.length === 0 ? 'converged' : 'DID NOT CONVERGE'} (${took} s)`);
  for (const debt of swept.slice(0, 5)) console.log(`  needed a sweep: ${debt}`);
  if (findings.length === 0) return true;
  for (const line of [...describeHistory(planned), ...traces, ...findings]) console.log(`  ${line}`);
  console.log(`  again: npm run test:convergence -- --runs 1 --seed ${seed}`);
  return false;
}

async function createDatabase(name: string) {
  const url = await server.createDatabase(name);
  const pool = new pg.Pool({ connectionString: url, max: 2 });
  pool.on('error', () => {});
  return {
    url,
    query: async <Row extends pg.QueryResultRow>(sql: string, values: readonly unknown[] = []) =>
      (await retried(() => pool.query<Row>(sql, [...values]))).rows,
    createRole: () => Promise.reject(new Error('a history needs no role')),
    drop: async () => {
      await pool.end();
      const client = new pg.Client({ connectionString: server.url() });
      await client.connect();
      await client.query(`drop database ${client.escapeIdentifier(name)} with (force)`);
      await client.end();
    },
  };
}

/** What the run itself asks of the database is asked again where that is away for a while. */
async function retried<T>(ask: () => Promise<T>): Promise<T> {
  for (let patience = 100; ; patience--) {
    try {
      return await ask();
    } catch (error) {
      const away = !(error instanceof pg.DatabaseError) || /^(57P|08)/.test(error.code ?? '');
      if (!away || patience === 0) throw error;
      await setTimeout(100);
    }
  }
}
