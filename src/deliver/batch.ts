/**
 * One claimed batch on its way: load ► look ► plan ► secure ► send, per entity, and one settle for all of it.
 */
import { setTimeout } from 'node:timers/promises';
import type { Parameters } from '../database/parameters.ts';
import { isPassing, isSchemaError } from '../database/sqlstate.ts';
import type { Queryable } from '../database/transaction.ts';
import { type RemoteState, TargetError } from '../targets/target.ts';
import { backOff } from './back-off.ts';
import type { Claim, Claimed } from './claim.ts';
import { concurrently } from './concurrently.ts';
import { handOver } from './hand-over.ts';
import { type Loaded, load, type Unloadable } from './load.ts';
import { findExisting, readLive } from './look.ts';
import type { Outcome } from './outcome.ts';
import { type Context, type Plan, plan, planStrayRemoval } from './plan.ts';
import { compareMembers, type Members } from './references.ts';
import type { Destination, Route } from './route.ts';
import { type Ready, secure } from './secure.ts';
import { failed, send } from './send.ts';
import { type Settled, settle } from './settle.ts';
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
      if (claimed.some(({ suspended }) => suspended)) await this.#resume(route);
      return { loaded, unloadable, members };
    } catch (error) {
      if (!isSchemaError(error) || !(error instanceof Error)) throw error;
      await this.#suspend(route, error.message);
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
    const plans: { loaded: Loaded; plan: Plan }[] = [];
    for (const item of loaded) {
      const look = seen?.get(item.claimed.key);
      if (look && 'live' in look && look.live !== undefined) this.#reached = true;
      if (item.claimed.unsure && !look) outcomes.push(release(item.claimed));
      else if (look && 'error' in look) outcomes.push(this.#failed(item, look.error));
      else if (look?.stray) plans.push({ loaded: item, plan: planStrayRemoval(look.stray, context) });
      else plans.push({ loaded: item, plan: plan(item, look?.live, members.get(item.claimed.key), context) });
    }
    const writes: Ready[] = [];
    for (const { loaded, plan } of await this.#adopt(route, plans, members, context, outcomes)) {
      if (plan.do === 'write') writes.push({ loaded, write: plan });
      else outcomes.push(...(await this.#withoutWriting(route, loaded, plan)));
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

  /** Plans that would create are planned again for entries that exist already and match (one search for the batch). */
  async #adopt(
    route: Route,
    plans: { loaded: Loaded; plan: Plan }[],
    members: ReadonlyMap<string, Members>,
    context: Context,
    outcomes: Outcome[],
  ): Promise<{ loaded: Loaded; plan: Plan }[]> {
    const creates = plans
      .filter(({ plan }) => plan.do === 'write' && plan.operation === 'create')
      .map(({ loaded }) => loaded);
    if (!route.matches || creates.length === 0 || !this.#open) return plans;
    let existing: Map<string, RemoteState[]>;
    try {
      existing = await findExisting(this.#destination, route, creates);
    } catch (error) {
      if (!(error instanceof TargetError)) throw error;
      const without = new Set(creates);
      outcomes.push(...creates.map((loaded) => this.#failed(loaded, error)));
      return plans.filter(({ loaded }) => !without.has(loaded));
    }
    return plans.map((item) => {
      const [entry, ...others] = existing.get(item.loaded.claimed.key) ?? [];
      if (!entry || item.plan.do !== 'write' || item.plan.operation !== 'create') return item;
      if (others.length > 0) return { ...item, plan: ambiguous([entry, ...others]) };
      return { ...item, plan: plan(item.loaded, entry, members.get(item.loaded.claimed.key), context) };
    });
  }

  async #withoutWriting(
    route: Route,
    { claimed, link }: Loaded,
    plan: Exclude<Plan, { do: 'write' }>,
  ): Promise<Outcome[]> {
    const { entity, key } = claimed;
    const remoteId = link?.remoteId ?? null;
    switch (plan.do) {
      case 'settle': {
        const put = plan.link && plan.link !== 'leave' ? { ...plan.link, stableId: link?.stableId ?? null } : null;
        const leave = plan.link === 'leave';
        const journal =
          plan.operation !== 'none' || claimed.unsure
            ? { journal: { operation: plan.operation, result: 'done' as const, remoteId } }
            : {};
        const kept = leave ? link : put;
        // A sure key has no other id reserved than its link's.
        const reserved =
          leave && !claimed.unsure ? {} : { reserved: kept ? [this.#destination.target.normalise(kept.remoteId)] : [] };
        return [
          {
            entity,
            key,
            outcome: 'done',
            ...(leave ? {} : { link: put }),
            ...reserved,
            members: plan.members,
            ...journal,
          },
        ];
      }
      case 'defer':
        return [{ entity, key, outcome: 'again', absent: true, dueIn: plan.seconds }];
      case 'hand over':
        if (await handOver(this.#database, route.target, this.#claim.token, { entity, key }, plan.to)) return [];
        return [{ entity, key, outcome: 'again', absent: true, dueIn: 1 }];
      case 'park': {
        const { kind, reason } = plan;
        return [
          {
            entity,
            key,
            outcome: 'park',
            error: { kind, message: reason },
            journal: { operation: 'none', result: 'parked', remoteId },
          },
        ];
      }
    }
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

  async #resume({ target, entity }: Route): Promise<void> {
    await this.#database.query(
      'update staffetta.route set error = null, error_at = null, retry_at = null, failures = 0 where target = $1 and entity = $2',
      [target, entity],
    );
  }

  /** A view or column is missing: this entity waits, with growing pauses; nothing is parked, nothing removed (PROTOCOL B12). */
  async #suspend({ target, entity }: Route, reason: string): Promise<void> {
    const { rows } = await this.#database.query<{ failures: number }>(
      'select failures from staffetta.route where target = $1 and entity = $2',
      [target, entity],
    );
    const pause = backOff(rows[0]?.failures ?? 0, this.#parameters.WAIT_SECONDS, this.#parameters.WAIT_MAX_SECONDS);
    await this.#database.query(
      `update staffetta.route set error = $3, error_at = clock_timestamp(), failures = failures + 1, retry_at = clock_timestamp() + make_interval(secs => $4)
       where target = $1 and entity = $2`,
      [target, entity, reason, pause],
    );
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

function ambiguous(entries: readonly RemoteState[]): Plan {
  const reason = `${entries.length} existing entries match: ${entries.map(({ remoteId }) => remoteId).join(' and ')}; make one of them match, then retry`;
  return { do: 'park', kind: 'exists', reason };
}
