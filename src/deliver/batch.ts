/**
 * One claimed batch on its way: load ► look ► plan ► secure ► send, per entity, and one settle for all of it.
 */
import { setTimeout } from 'node:timers/promises';
import type { Parameters } from '../database/parameters.ts';
import { isPassing, isSchemaError } from '../database/sqlstate.ts';
import type { Queryable } from '../database/transaction.ts';
import type { TargetError } from '../targets/target.ts';
import { adopt, type Planned } from './adopt.ts';
import { planStrayRemoval } from './aside.ts';
import type { Claim, Claimed } from './claim.ts';
import { conclude } from './conclude.ts';
import { concurrently } from './concurrently.ts';
import { type Loaded, load, type Unloadable } from './load.ts';
import { readLive } from './look.ts';
import type { Outcome } from './outcome.ts';
import type { Context } from './plan.ts';
import { plan } from './planner.ts';
import { compareMembers, type Members } from './references.ts';
import type { Destination, Route } from './route.ts';
import { type Ready, secure } from './secure.ts';
import { failed, send } from './send.ts';
import { type Settled, settle } from './settle.ts';
import { resume, suspend } from './suspend.ts';
import { wake } from './wait.ts';

/** What a batch says of its target. */
export interface Delivered {
  readonly outcomes: readonly Outcome[];
  readonly settled: Settled;
  /** It answered something. */
  readonly reached: boolean;
  /** It could not be reached: why. */
  readonly unavailable: string | undefined;
  /** It refuses us altogether: why. */
  readonly misconfigured: string | undefined;
  /** An entity of it could not be delivered, for want of the database: the error. */
  readonly failure: unknown;
}

export class Batch {
  readonly #database: Queryable;
  readonly #destination: Destination;
  readonly #parameters: Parameters;
  readonly #claim: Claim;
  /** Aborted: nothing more goes out; what is in flight is finished. */
  readonly #stop: AbortSignal;
  /** Whether something of the entity at hand may have gone out. */
  #sent = false;
  #reached = false;
  #unavailable: string | undefined;
  #misconfigured: string | undefined;

  constructor(database: Queryable, destination: Destination, parameters: Parameters, claim: Claim, stop: AbortSignal) {
    this.#database = database;
    this.#destination = destination;
    this.#parameters = parameters;
    this.#claim = claim;
    this.#stop = stop;
  }

  async deliver(): Promise<Delivered> {
    const outcomes: Outcome[] = [];
    let failure: unknown;
    for (const [entity, claimed] of Map.groupBy(this.#claim.deliveries, ({ entity }) => entity)) {
      const route = this.#destination.routes.get(entity);
      this.#sent = false;
      try {
        outcomes.push(...(route ? await this.#entity(route, claimed) : claimed.map(release)));
      } catch (error) {
        failure ??= error;
        // What nothing has gone out for need not wait until the claim runs out, to be taken over as unsure (PROTOCOL B5).
        if (!this.#sent && isPassing(error)) outcomes.push(...claimed.map(release));
      }
    }
    const { target } = this.#claim;
    const settled = await this.#settle(outcomes);
    await wake(
      this.#database,
      target,
      outcomes.filter(({ waitFor }) => waitFor),
    );
    return {
      outcomes,
      settled,
      reached: this.#reached,
      unavailable: this.#unavailable,
      misconfigured: this.#misconfigured,
      failure,
    };
  }

  /** Nobody but us knows what was sent, so we try for as long as the claim lasts while the database is away. */
  async #settle(outcomes: readonly Outcome[]): Promise<Settled> {
    const { target, token, leaseEnds } = this.#claim;
    for (let pause = 100; ; pause = Math.min(2 * pause, 2000)) {
      try {
        return await settle(this.#database, { target, token, referred: this.#destination.referred }, outcomes);
      } catch (error) {
        if (!isPassing(error) || this.#stop.aborted || performance.now() + pause > leaseEnds) throw error;
        await setTimeout(pause);
      }
    }
  }

  /** Whether something may still be sent: the target takes it, and it would be over before the claim is (PROTOCOL B4). */
  get #open(): boolean {
    const before = performance.now() + this.#destination.timeout < this.#claim.leaseEnds;
    return before && !this.#stop.aborted && !this.#unavailable && !this.#misconfigured;
  }

  async #entity(route: Route, claimed: readonly Claimed[]): Promise<Outcome[]> {
    const read = await this.#read(route, claimed);
    if (!read) return claimed.map(release);
    return [...read.unloadable.map(parkUnloadable), ...(await this.#loaded(route, read.loaded, read.members))];
  }

  /** Everything the administrator's view says of the keys; undefined where it cannot be read, and the entity waits. */
  async #read(route: Route, claimed: readonly Claimed[]) {
    try {
      const { loaded, unloadable } = await load(this.#database, route.target, route.entity, route.keyType, claimed);
      const members = await this.#members(route, loaded);
      if (claimed.some(({ suspended }) => suspended)) await resume(this.#database, route);
      return { loaded, unloadable, members };
    } catch (error) {
      if (!isSchemaError(error) || !(error instanceof Error)) throw error;
      await suspend(this.#database, route, error.message, this.#parameters);
      return undefined;
    }
  }

  async #loaded(route: Route, loaded: readonly Loaded[], members: ReadonlyMap<string, Members>): Promise<Outcome[]> {
    const context: Context = {
      mapping: route.mapping,
      target: this.#destination.target,
      secret: this.#destination.secret,
    };
    const seen = this.#open
      ? await readLive(
          this.#database,
          this.#destination,
          route,
          this.#claim.token,
          loaded.filter(({ claimed }) => claimed.unsure),
        )
      : undefined;
    const outcomes: Outcome[] = [];
    const plans: Planned[] = [];
    for (const item of loaded) {
      const look = seen?.get(item.claimed.key);
      if (look && 'live' in look && look.live !== undefined) this.#reached = true;
      if (item.claimed.unsure && !look) outcomes.push(release(item.claimed));
      else if (look && 'error' in look) outcomes.push(this.#failed(item, look.error));
      else if (look?.stray) plans.push({ loaded: item, plan: planStrayRemoval(look.stray, context) });
      else plans.push({ loaded: item, plan: plan(item, look?.live, members.get(item.claimed.key), context) });
    }
    const writes: Ready[] = [];
    const adopted = this.#open
      ? await adopt(this.#destination, route, plans, members, context)
      : { plans, failures: [] };
    outcomes.push(...adopted.failures.map(({ loaded, error }) => this.#failed(loaded, error)));
    for (const { loaded, plan } of adopted.plans) {
      if (plan.do === 'write') writes.push({ loaded, write: plan });
      else outcomes.push(...(await conclude(this.#database, this.#destination, this.#claim.token, loaded, plan)));
    }
    const { ready, settled } = await secure(this.#database, route, this.#claim, context, writes);
    const sent = await this.#sendAll(ready.filter(({ loaded }) => loaded.desired));
    const wanted = new Set(settled.flatMap(({ waitFor }) => (waitFor?.entity === route.entity ? [waitFor.key] : [])));
    const removals = await this.#proveAbsence(
      route,
      ready.filter(({ loaded }) => !loaded.desired),
      wanted,
    );
    sent.push(...removals.doubted, ...(await this.#sendAll(removals.proven)));
    const parkedFor = new Map(loaded.map(({ claimed, desired }) => [claimed.key, desired?.fingerprint ?? null]));
    return [...outcomes, ...settled, ...sent].map((outcome) =>
      outcome.outcome === 'park' ? { ...outcome, fingerprint: parkedFor.get(outcome.key) ?? null } : outcome,
    );
  }

  async #members(route: Route, loaded: readonly Loaded[]): Promise<ReadonlyMap<string, Members>> {
    const holders = loaded.filter(({ desired }) => desired && !desired.released);
    if (route.references.size === 0 || holders.length === 0) return new Map();
    const keys = (items: readonly Loaded[]) => items.map(({ claimed }) => claimed.key);
    const whole = holders.filter(({ claimed, link }) => claimed.unsure || !link || route.matches);
    return compareMembers(
      this.#database,
      route.target,
      route.entity,
      route.keyType,
      route.references,
      keys(holders),
      keys(whole),
    );
  }

  #sendAll(ready: readonly Ready[]): Promise<Outcome[]> {
    this.#sent ||= ready.length > 0;
    return concurrently(ready, this.#destination.concurrency, ({ loaded, write }) => this.#send(loaded, write));
  }

  /**
   * What takes an entry away goes out last, and only if a read at this moment still has no row (PROTOCOL C1) and nobody
   * has begun to wait for the entry, to whom it is handed over instead (C4).
   */
  async #proveAbsence(
    route: Route,
    removals: readonly Ready[],
    wanted: ReadonlySet<string>,
  ): Promise<{ proven: Ready[]; doubted: Outcome[] }> {
    if (removals.length === 0) return { proven: [], doubted: [] };
    const read = await this.#read(
      route,
      removals.map(({ loaded }) => loaded.claimed),
    );
    const absent = new Set(
      read?.loaded.flatMap(({ claimed, desired, wantedBy }) => (desired || wantedBy ? [] : [claimed.key])),
    );
    const isProven = ({ loaded: { claimed } }: Ready) => absent.has(claimed.key) && !wanted.has(claimed.key);
    return {
      proven: removals.filter(isProven),
      doubted: removals.filter((removal) => !isProven(removal)).map(({ loaded }) => release(loaded.claimed)),
    };
  }

  async #send(loaded: Loaded, write: Ready['write']): Promise<Outcome> {
    if (!this.#open) return release(loaded.claimed);
    const outcome = await send(this.#destination, loaded, write, this.#parameters);
    this.#note(outcome);
    return outcome;
  }

  #failed(loaded: Loaded, error: TargetError): Outcome {
    const outcome = failed(this.#destination, loaded, error, this.#parameters);
    this.#note(outcome);
    return outcome;
  }

  #note({ error }: Outcome): void {
    if (error?.kind !== 'unavailable') this.#reached = true;
    if (error?.kind === 'unavailable') this.#unavailable ??= error.message;
    if (error?.kind === 'misconfigured') this.#misconfigured ??= error.message;
  }
}

function release({ entity, key }: Claimed): Outcome {
  return { entity, key, outcome: 'release' };
}

function parkUnloadable({ claimed: { entity, key }, reason, fingerprint }: Unloadable): Outcome {
  return {
    entity,
    key,
    outcome: 'park',
    fingerprint,
    error: { kind: 'rejected', message: reason },
    journal: { operation: 'none', result: 'parked', remoteId: null },
  };
}
