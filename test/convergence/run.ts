/**
 * The convergence run: random histories against a real PostgreSQL, real directories and real daemons, until N have
 * converged or one has not. One that has not is made smaller and kept in a file, which gives it again.
 *
 * `--seed S` gives the same histories again: the first has the seed S, the next S + 1 …. `--check-the-checker` plants each
 * bug of `bugs.ts` and wants it found.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { LaunchError } from '../../src/demo/launch-error.ts';
import { type BugName, bugs, isBugName } from './bugs.ts';
import { hunt, hunts } from './checker.ts';
import { type Means, means } from './conduct.ts';
import { describeHistory, drawHistory, type History, parseHistory, withLists } from './history.ts';
import { type Server, startServer } from './server.ts';
import { shrink } from './smaller.ts';
import { tryHistory, type Verdict } from './trial.ts';

const usage = `npm run test:convergence -- [--runs N] [--seed S] [--jobs J] [--keep-going] [--no-shrink] [--tries N]
  [--history FILE] [--plant BUG] [--lists MEANS] [--check-the-checker]
  --runs N              histories to play (default: 200; of --history: 1)
  --seed S              the seed of the first (default: by the clock)
  --jobs J              histories at once, each with a PostgreSQL of its own (default: 2)
  --keep-going          go on after a history that did not converge
  --no-shrink           do not make it smaller
  --tries N             smaller histories to try (default: 20)
  --history FILE        play this one, as a failing run wrote it
  --plant BUG           put a bug into the daemons: ${Object.keys(bugs).join(', ')}
  --lists MEANS         only histories in which the target "lists" is written so: ${means.join(', ')}
  --check-the-checker   find each of the bugs within as many histories as it may take`;

const wanted = readArguments();
let stopping = false;
// A history at hand is played to its end, so that no daemon of it is left behind.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => (stopping = true));
process.exitCode = (wanted.checkTheChecker ? await checkTheChecker() : await play()) && !stopping ? 0 : 1;

interface Wanted {
  readonly runs: number;
  readonly seed: number;
  readonly jobs: number;
  readonly tries: number;
  readonly keepGoing: boolean;
  readonly checkTheChecker: boolean;
  readonly history: History | undefined;
  readonly bug: BugName | undefined;
  readonly lists: Means | undefined;
}

function readArguments(): Wanted {
  try {
    const { values } = parseArgs({
      options: {
        runs: { type: 'string' },
        seed: { type: 'string', default: String(Date.now() % 1_000_000) },
        jobs: { type: 'string', default: '2' },
        'keep-going': { type: 'boolean', default: false },
        shrink: { type: 'boolean', default: true },
        tries: { type: 'string', default: '20' },
        history: { type: 'string' },
        plant: { type: 'string' },
        lists: { type: 'string' },
        'check-the-checker': { type: 'boolean', default: false },
      },
      allowNegative: true,
    });
    const { history, plant } = values;
    const lists = means.find((one) => one === values.lists);
    if (values.lists !== lists) throw new Error(`--lists is ${values.lists}, expected one of: ${means.join(', ')}`);
    const number = (text: string, what: string, least: number) => {
      if (Number.isInteger(Number(text)) && Number(text) >= least) return Number(text);
      throw new Error(`${what} is ${text}, expected a whole number from ${least} on`);
    };
    if (plant !== undefined && !isBugName(plant)) throw new Error(`there is no bug “${plant}”`);
    return {
      runs: number(values.runs ?? (history === undefined ? '200' : '1'), '--runs', 1),
      seed: number(values.seed, '--seed', 0),
      jobs: number(values.jobs, '--jobs', 1),
      tries: values.shrink ? number(values.tries, '--tries', 0) : 0,
      keepGoing: values['keep-going'],
      checkTheChecker: values['check-the-checker'],
      history: history === undefined ? undefined : parseHistory(readFileSync(history, 'utf8')),
      bug: plant,
      lists,
    };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n${usage}`);
    process.exit(2);
  }
}

/** Starts a server for each job, and has them do what there is to do. */
async function withServers<T>(jobs: number, todo: Iterator<T>, work: (item: T, server: Server) => Promise<void>) {
  const servers: Server[] = [];
  try {
    for (let job = 0; job < jobs; job++) servers.push(await startServer());
    await Promise.all(
      servers.map(async (server) => {
        for (let next = todo.next(); !next.done && !stopping; next = todo.next()) await work(next.value, server);
      }),
    );
  } finally {
    await Promise.all(servers.map((server) => server.close()));
  }
}

async function play(): Promise<boolean> {
  const { runs, seed: first, history: given, bug, lists, jobs, tries, keepGoing } = wanted;
  const nature = bug === undefined ? (lists === undefined ? {} : withLists(lists)) : hunts[bug].nature;
  const seeds = Array.from({ length: runs }, (_, index) => first + index);
  const failed: number[] = [];
  let done = 0;
  await withServers(Math.min(jobs, runs), seeds.values(), async (seed, server) => {
    if (failed.length > 0 && !keepGoing) return;
    const planned = given ?? drawHistory(seed, nature);
    const verdict = await tell(`history ${seed}`, () => playOn(server, planned));
    done++;
    if (verdict.findings.length === 0) return;
    failed.push(seed);
    report(planned, verdict);
    const smallest = tries > 0 ? await makeSmaller(planned, server) : planned;
    if (smallest !== planned) for (const line of describeHistory(smallest)) console.log(`  smaller: ${line}`);
    const file = join(tmpdir(), `staffetta-history-${seed}.json`);
    writeFileSync(file, JSON.stringify(smallest));
    const plant = bug === undefined ? '' : ` --plant '${bug}'`;
    console.log(`  again: npm run test:convergence -- --history ${file} --runs 10${plant}`);
    if (!given)
      console.log(
        `  as it was drawn: npm run test:convergence -- --runs 1 --seed ${seed}${plant}${lists === undefined ? '' : ` --lists ${lists}`}`,
      );
  });
  console.log(
    failed.length === 0 ? `all of ${done} histories converged` : `did not converge: seeds ${failed.join(', ')}`,
  );
  return failed.length === 0 && done === runs;
}

async function playOn(server: Server, history: History): Promise<Verdict> {
  for (let tries = 3; ; tries--) {
    try {
      return await tryHistory(history, await server.createGround(), { restart: server.restart, bug: wanted.bug });
    } catch (error) {
      // A port that was free may be taken when a directory starts on it.
      if (!(error instanceof LaunchError) || tries === 1) throw error;
    }
  }
}

/** Plays, and says in a line what came of it. */
async function tell(name: string, play: () => Promise<Verdict>): Promise<Verdict> {
  const began = performance.now();
  const verdict = await play();
  const took = ((performance.now() - began) / 1000).toFixed(1);
  console.log(`${name}: ${verdict.findings.length === 0 ? 'converged' : 'DID NOT CONVERGE'} (${took} s)`);
  for (const debt of verdict.swept.slice(0, 5)) console.log(`  needed a sweep: ${debt}`);
  return verdict;
}

function report(history: History, { traces, findings }: Verdict): void {
  for (const line of [...describeHistory(history), ...traces, ...findings]) console.log(`  ${line}`);
}

/** What fails does not fail each time: a smaller history fails if it does so in one of two plays. */
async function makeSmaller(history: History, server: Server): Promise<History> {
  const { tries } = wanted;
  let tried = 0;
  const deadline = performance.now() + 600_000;
  const fails = async (smaller: History) => {
    tried++;
    for (const attempt of [1, 2]) {
      const verdict = await tell(`  smaller ${tried}, play ${attempt}`, () => playOn(server, smaller));
      if (verdict.findings.length > 0) return true;
    }
    return false;
  };
  return shrink(history, fails, () => !stopping && tried < tries && performance.now() < deadline);
}

async function checkTheChecker(): Promise<boolean> {
  let right = true;
  const names = Object.keys(bugs).filter(isBugName);
  await withServers(wanted.jobs, names.values(), async (bug, server) => {
    const { found, without } = await hunt(bug, server.createGround);
    right &&= found !== undefined && without.length === 0;
    const { within } = hunts[bug];
    const said =
      found === undefined ? `NOT FOUND within ${within} histories` : `found in history ${found} of ${within}`;
    console.log(`${bug}: ${said}${without.length === 0 ? '' : ', BUT THAT HISTORY FAILS WITHOUT IT, TOO'}`);
    for (const line of without) console.log(`  ${line}`);
  });
  return right;
}
