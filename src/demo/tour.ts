/**
 * The scripted tour: everybody is carried to an empty directory, then one thing after the other happens to them; in the
 * end every entry is compared with the registry. A step is over when nothing is owed to the directory any more.
 */
import type { UniversitySize } from '../../examples/university/load.ts';
import type { Outcome } from '../deliver/outcome.ts';
import { Arrivals } from './arrivals.ts';
import { carriedSince, moment } from './carried.ts';
import { describeMismatch } from './compare.ts';
import { Guide, round, type Step } from './guide.ts';
import { loadInitially } from './initial-load.ts';
import { scenes } from './scenes.ts';
import type { Screen } from './screen.ts';
import { setStage } from './stage.ts';

export interface TourResult {
  /** Entries that there should be in the end, and were compared. */
  readonly people: number;
  readonly groups: number;
  /** Cards of the staff, likewise, which a backend keeps. */
  readonly cards: number;
  /** Users and groups of the SCIM service, likewise. */
  readonly accounts: number;
  /** Lines of the phonebook, likewise, which the CSV files tell. */
  readonly lines: number;
  /** Writes to the directory after the initial load. */
  readonly changes: number;
  /** People of the view whom a hook kept out, as it should. */
  readonly refused: number;
  /** Entries, attributes of entries, cards, accounts or lines that are not as they should be; none, if all is well. */
  readonly mismatches: number;
  /** Of the concurrent changes: from the change in PostgreSQL until it was settled, as the journal has it. */
  readonly p50_ms: number;
  readonly p99_ms: number;
  /** Of the initial load. */
  readonly identities_per_second: number;
  readonly seconds: number;
  readonly steps: readonly Step[];
  /** The first twenty mismatches, in words. */
  readonly differences: readonly string[];
}

/** Plays the whole tour on servers of its own, which are gone when it returns. Throws TourError where something fails. */
export async function runTour(size: UniversitySize, screen: Screen, stop: AbortSignal): Promise<TourResult> {
  const started = performance.now();
  await using stack = new AsyncDisposableStack();
  const stage = await setStage(size, screen, stack);
  const arrivals = new Arrivals();
  const settled = (target: string, outcomes: readonly Outcome[]) =>
    target === 'directory' && arrivals.settled(outcomes);
  const load = await loadInitially(stage, screen, stack, { level: 'silent', stop, settled });
  const begin = await moment(stage.owner);
  const steps: Step[] = [{ step: 'initial load', ms: round(load.ms), all_ms: round(load.ms) }];
  const guide = new Guide(stage, screen, stop, arrivals, steps);
  for (const scene of scenes) await guide.play(scene);
  await guide.outage();
  await guide.replay();
  await guide.massDeletion();
  const lags = await guide.concurrently();
  await guide.refusal();
  const changes = (await carriedSince(stage.owner, begin)).reduce((sum, { writes }) => sum + writes, 0);
  const { people, groups, cards, accounts, lines, refused, mismatches } = await guide.compare();
  return {
    people,
    groups,
    cards,
    accounts,
    lines,
    changes,
    refused,
    mismatches: mismatches.length,
    p50_ms: lags.p50,
    p99_ms: lags.p99,
    identities_per_second: Math.round(load.perSecond),
    seconds: round((performance.now() - started) / 1_000),
    steps,
    differences: mismatches.slice(0, 20).map(describeMismatch),
  };
}
