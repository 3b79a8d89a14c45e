/**
 * One claimed batch on its way: load ► look ► plan ► secure ► send, per entity, and one settle for all of it.
 */
import { setTimeout } from 'node:timers/promises';
import type { Parameters } from '../database/parameters.ts';
import { isPassing } from '../database/sqlstate.ts';
import type { Queryable } from '../database/transaction.ts';
import { TargetError } from '../targets/target.ts';
import { proveAbsence, takesAway } from './absence.ts';
import { readActors } from './actors.ts';
import { adopt, type Planned } from './adopt.ts';
import { inOrder, wakeNeighbours } from './after.ts';
import { planStrayRemoval } from './aside.ts';
import { Channel } from './channel.ts';
import type { Claim, Claimed } from './claim.ts';
import { conclude } from './conclude.ts';
import { handPasswords } from './hand.ts';
import type { Loaded, Unloadable } from './load.ts';
import { readLive } from './look.ts';
import { meet } from './meet.ts';
import { type Outcome, release } from './outcome.ts';
import { type Mode, permit, refund } from './permit.ts';
import type { Context, Live } from './plan.ts';
import { plan } from './planner.ts';
import type { Members } from './references.ts';
import type { Destination, Route } from './route.ts';
import { type Ready, secure } from './secure.ts';
import { type Settled, settle } from './settle.ts';
import { readStanding, type Standing } from './standing.ts';
import { wake } from './wait.ts';

/** What a batch says of its target. */
export interface Delivered {
  readonly outcomes: readonly Outcome[];
  readonly settled: Settled;
  /** Deliveries that waited for one of these, here or on other targets, and are due now. */
  readonly woken: number;
  /** It answered something. */
  readonly reached: boolean;
  /** It could not be reached: why. */
  readonly unavailable: string | undefined;
  /** Seconds after which it wants to be asked again, if it said so. */
  readonly retryAfter: number | undefined;
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
  readonly #channel: Channel;
  /** Plans that wait for other targets, by route. */
  readonly #waiting = new Map<Route, Planned[]>();

  constructor(database: Queryable, destination: Destination, parameters: Parameters, claim: Claim, stop: AbortSignal) {
    this.#database = database;
    this.#destination = destination;
    this.#parameters = parameters;
    this.#claim = claim;
    this.#stop = stop;
    this.#channel = new Channel(destination, parameters, claim, stop);
  }

  async deliver(): Promise<Delivered> {
    const outcomes: Outcome[] = [];
    let failure: unknown;
    let met = true;
    try {
      await meet(this.#database, this.#destination, this.#claim);
    } catch (error) {
      // A target that is another, or cannot be reached to say so, is sent nothing.
      if (error instanceof TargetError) this.#channel.close(error);
      else [failure, met] = [error, false];
    }
    for (const [entity, claimed] of Map.groupBy(this.#claim.deliveries, ({ entity }) => entity)) {
      const route = this.#destination.routes.get(entity);
      try {
        if (route && met) await this.#entity(route, claimed, outcomes);
        else outcomes.push(...claimed.map(release));
      } catch (error) {
        failure ??= error;
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
      woken: await this.#wakeNeighbours(outcomes),
      reached: this.#channel.reached,
      unavailable: this.#channel.unavailable,
      retryAfter: this.#channel.retryAfter,
      misconfigured: this.#channel.misconfigured,
      failure,
    };
  }

  async #wakeNeighbours(outcomes: readonly Outcome[]): Promise<number> {
    let woken = 0;
    for (const [entity, own] of Map.groupBy(outcomes, (outcome) => outcome.entity)) {
      const route = this.#destination.routes.get(entity);
      if (route) woken += await wakeNeighbours(this.#database, route, this.#claim, this.#waiting.get(route) ?? [], own);
    }
    return woken;
  }

  /** Nobody but us knows what was sent, so we try for as long as the claim lasts while the database is away. */
  async #settle(outcomes: readonly Outcome[]): Promise<Settled> {
    const { target, token, epoch, leaseEnds } = this.#claim;
    for (let pause = 100; ; pause = Math.min(2 * pause, 2000)) {
      try {
        return await settle(this.#database, { target, token, epoch, referred: this.#destination.referred }, outcomes);
      } catch (error) {
        if (!isPassing(error) || this.#stop.aborted || performance.now() + pause > leaseEnds) throw error;
        await setTimeout(pause);
      }
    }
  }

  /**
   * In one go, unless that would be more than is taken into memory at once. What is known already is kept when a later
   * read fails.
   */
  async #entity(route: Route, claimed: readonly Claimed[], outcomes: Outcome[]): Promise<void> {
    let size = claimed.length;
    for (let rest = claimed; rest.length > 0; ) {
      const sent = this.#channel.sent;
      try {
        const read = await this.#read(route, rest.slice(0, size));
        const found = read ? await this.#loaded(route, read.loaded, read.members) : rest.map(release);
        outcomes.push(...found, ...(read?.unloadable ?? []).map(parkUnloadable));
        rest = read ? [...read.deferred, ...rest.slice(size)] : [];
        size -= read?.deferred.length ?? 0; // no more at a time than came now: what is left out is computed in vain
      } catch (error) {
        // What nothing has gone out for need not wait until the claim runs out, to be taken over as unsure (PROTOCOL B5).
        if (this.#channel.sent === sent && isPassing(error)) outcomes.push(...rest.map(release));
        throw error;
      }
    }
  }

  /** Only hooks want to know. */
  async #actors({ entity }: Route, ready: readonly Ready[]): Promise<ReadonlyMap<string, string>> {
    if (!this.#destination.hooks || ready.length === 0) return new Map();
    const keys = ready.map(({ loaded }) => loaded.claimed.key);
    return await readActors(this.#database, this.#claim, entity, keys);
  }

  #read(route: Route, claimed: readonly Claimed[]): Promise<Standing | undefined> {
    return readStanding(this.#database, route, claimed, this.#parameters);
  }

  async #loaded(route: Route, loaded: readonly Loaded[], members: ReadonlyMap<string, Members>): Promise<Outcome[]> {
    const context: Context = {
      mapping: route.mapping,
      target: this.#destination.target,
      secret: this.#destination.secret,
    };
    const seen = this.#channel.isOpen
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
      if (look && 'live' in look && look.live !== undefined) this.#channel.answered();
      if (item.claimed.unsure && !look) outcomes.push(release(item.claimed));
      else if (look && 'error' in look) outcomes.push(this.#channel.failed(item, look.error));
      else if (look?.stray) plans.push({ loaded: item, plan: planStrayRemoval(look.stray, context) });
      else plans.push(planned(item, look?.live, members, context));
    }
    const adopted = this.#channel.isOpen
      ? await adopt(this.#destination, route, plans, members, context)
      : { plans, failures: [] };
    outcomes.push(...adopted.failures.map(({ loaded, error }) => this.#channel.failed(loaded, error)));
    // Nobody asks for leave who would not use it.
    const [plannable, late] = this.#channel.isOpen ? [adopted.plans, []] : postponed(adopted.plans, this.#claim.mode);
    outcomes.push(...late.map(({ loaded }) => release(loaded.claimed)));
    const ordered = await inOrder(this.#database, route, this.#claim, plannable);
    outcomes.push(...ordered.stopped);
    this.#waiting.set(route, [...(this.#waiting.get(route) ?? []), ...ordered.waiting]);
    const permitted = await permit(this.#database, route, this.#claim, ordered.passed);
    outcomes.push(...permitted.stopped);
    const { ready, silent, settled } = await secure(this.#database, route, this.#claim, context, permitted.passed);
    for (const { loaded, plan } of silent)
      outcomes.push(await conclude(this.#database, this.#destination, this.#claim.token, loaded, plan));
    const actors = await this.#actors(route, ready);
    const sent = await this.#channel.sendAll(
      ready.filter((item) => !takesAway(item)),
      actors,
    );
    const wanted = new Set(
      settled.flatMap(({ waitFor }) =>
        waitFor?.entity === route.entity && waitFor.attribute === '' ? [waitFor.key] : [],
      ),
    );
    const removals = await proveAbsence(route.mapping.references, ready.filter(takesAway), wanted, (claimed) =>
      this.#read(route, claimed),
    );
    sent.push(...removals.doubted, ...(await this.#channel.sendAll(removals.proven, actors)));
    // What was sent must be settled whatever comes of this; counted too much, the guard is only stricter.
    await refund(this.#database, route, permitted, sent).catch(() => {});
    const handed = await handPasswords(
      this.#database,
      route,
      this.#claim,
      { open: this.#destination.open, give: (handings) => this.#channel.handAll(handings) },
      loaded,
      [...outcomes, ...settled, ...sent],
    );
    const parkedFor = new Map(loaded.map(({ claimed, desired }) => [claimed.key, desired?.fingerprint ?? null]));
    return handed.map((outcome) =>
      outcome.outcome === 'park' ? { ...outcome, fingerprint: parkedFor.get(outcome.key) ?? null } : outcome,
    );
  }
}

function planned(loaded: Loaded, live: Live, members: ReadonlyMap<string, Members>, context: Context): Planned {
  const own = plan(loaded, live, members.get(loaded.claimed.key), context);
  return { loaded, plan: own, ...(live === undefined ? {} : { live }) };
}

/** Of plans, those that need nothing of the target, and the others. */
function postponed(plans: readonly Planned[], mode: Mode): [Planned[], Planned[]] {
  const isBookkeeping = ({ plan }: Planned) => plan.do !== 'write' && mode !== 'observe';
  return [plans.filter(isBookkeeping), plans.filter((item) => !isBookkeeping(item))];
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
