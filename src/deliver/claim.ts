import { randomUUID } from 'node:crypto';
import type { Queryable } from '../database/transaction.ts';
import type { Mode } from './permit.ts';

/** A delivery that is ours until the lease ends or it is settled. */
export interface Claimed {
  readonly entity: string;
  readonly key: string;
  /** The link may not say what is on the target: read the live entry first (PROTOCOL B5). */
  readonly unsure: boolean;
  /** Remote ids that a fenced-off worker may have written (PROTOCOL B7). */
  readonly stray: readonly string[];
  /** Attempts that failed so far. */
  readonly attempts: number;
  /** Seconds since a replay first proved the key absent; null if none has. */
  readonly absentFor: number | null;
  /** The desired state of its entity could not be read when it was last tried (PROTOCOL B12). */
  readonly suspended: boolean;
  /** Its links may have lost what happened last: nothing is removed before they were compared with the target (PROTOCOL C6). */
  readonly reconcileOwed: boolean;
  /** An administrator has said that it may be done. */
  readonly approved: boolean;
}

/** Who claims. */
export interface Claimant {
  /** The instance of `staffetta.instance`. */
  readonly instance: string;
  /** Of the configuration it runs with. */
  readonly revision: string;
  /** Where it reaches the database: host:port. */
  readonly host: string;
  /** What it lives at present. */
  readonly life: Life;
}

/**
 * A stretch of time in which nobody takes the claimant for dead. Whoever was silent for too long begins another: what it
 * claimed in the last one may be somebody else's by now.
 */
export interface Life {
  /** Its end, later with each heartbeat, on this process's monotonic clock, cautiously early. */
  readonly ends: number;
}

/** Deliveries claimed together. */
export interface Claim {
  readonly target: string;
  /** Fences the claim: nothing is recorded for a row that no longer carries it. */
  readonly token: string;
  /** What the target's links were known to be worth when they were claimed (PROTOCOL C5, C6). */
  readonly epoch: number;
  /** Which installation the target's links belong to; null: none was met yet (PROTOCOL C5). */
  readonly identity: string | null;
  /** How the target is dealt with. */
  readonly mode: Mode;
  /** It may be written to, whatever entries it holds already. */
  readonly admitted: boolean;
  /** That of all its deliveries. */
  readonly priority: Priority;
  readonly deliveries: readonly Claimed[];
  /** Until when something may be sent, on this process's monotonic clock (`performance.now()`), cautiously early. */
  readonly leaseEnds: number;
  /** Nothing is sent beyond its end, either. */
  readonly life: Life;
}

/** How the target stands when it is claimed from. */
type Standing = Pick<Claim, 'epoch' | 'identity' | 'mode' | 'admitted'> & { readonly state: string };

/** A row of the statement: of a delivery, or of none. */
type Row = Standing & ((Claimed & { readonly dueAt: Date; readonly priority: number }) | { readonly key: null });

/** Which deliveries to claim first. */
export type Priority = 'interactive' | 'bulk';

/** The due rows of one class of priority ($2, or the other one), not before a bound: so the index gives them in order. */
const due = (priority: string, bound: string, limit: string) => `
  select d.target, d.entity, d.key from staffetta.delivery d
  where d.target = $1 and d.priority = ${priority} and d.state in ('pending', 'waiting')
    and d.due_at <= now() and d.due_at >= ${bound}::timestamptz and (d.token is null or d.lease_until < now())
    and d.entity in (select r.entity from routes r where r.open)
    and (select t.state = 'active' or t.state = 'waiting' and $7 from standing t)
    and (select staffetta.refusal($8, $9)) is null
  order by d.due_at limit ${limit} for update of d skip locked`;

/**
 * The one class of priority, and only if nothing of it is due the other. A row whose claim has run out is taken
 * over as unsure: what its last worker did is not known (PROTOCOL B5); so is one whose link is of an earlier epoch than its
 * target (C5, C6). A daemon that runs with another configuration than the applied one (C7), or on a copy of the database
 * (C6), finds nothing. There is one row at least, which says how the target is.
 */
const statement = `
/* staffetta claim */
with standing as materialized (select t.target, t.state, t.epoch, t.identity, t.mode, t.admitted from staffetta.target t where t.target = $1),
routes as materialized (
  select r.entity, r.retry_at is null or r.retry_at <= now() as open, r.error is not null as suspended, r.reconcile > 0 as owed
  from staffetta.route r where r.target = $1),
sooner as materialized (${due('$2::smallint', '$3', '$4')}),
later as materialized (${due('1 - $2::smallint', '$11', 'case when exists (select from sooner) then 0 else $12 end')}),
claimed as (
  update staffetta.delivery d set token = $5, claimed_rev = d.rev, claimed_by = $10, lease_until = now() + make_interval(secs => $6::float8),
    unsure = d.unsure or d.token is not null or exists (
      select from staffetta.link l where (l.target, l.entity, l.key) = (d.target, d.entity, d.key) and l.epoch <> t.epoch)
  from (select * from sooner union all select * from later) due, standing t, routes r
  where (d.target, d.entity, d.key) = (due.target, due.entity, due.key) and r.entity = due.entity
  returning d.entity, d.key, d.unsure, coalesce(d.stray, '{}') as stray, d.attempts, d.priority,
    extract(epoch from now() - d.absent_since)::float8 as "absentFor", d.due_at as "dueAt",
    d.approved is not distinct from d.rev as approved,
    r.suspended, r.owed as "reconcileOwed")
select t.state, t.epoch, t.identity, t.mode, t.admitted, c.* from standing t left join claimed c on true`;

const beginning: Readonly<Record<Priority, string>> = { interactive: '-infinity', bulk: '-infinity' };

/**
 * How long a bound holds, in milliseconds: what was given back behind it, by a worker that was killed or a target that
 * was slow, is not to wait for long. To pass dead rows once in a while costs little.
 */
const boundHolds = 5_000;

/** Claims deliveries of one target for one pump. */
export class Claimer {
  readonly #target: string;
  readonly #claimant: Claimant;
  readonly #only: Priority | undefined;
  /** Where to start looking, per priority: dead rows before it need not be passed (PROTOCOL B11). */
  #bound: Record<Priority, string> = { ...beginning };
  /** When it last looked at every delivery, on this process's monotonic clock. */
  #reset = performance.now();
  #turn = 0;
  #isWaiting = false;
  readonly #tokens = new Set<string>();

  /** `only`: what is of the other priority is left to others. */
  constructor(target: string, claimant: Claimant, only?: Priority) {
    this.#target = target;
    this.#claimant = claimant;
    this.#only = only;
  }

  /** Whether the target could not be reached, so that only a probe is claimed, as the last claim saw it. */
  get isWaiting(): boolean {
    return this.#isWaiting;
  }

  /** Whether a claim with this token is under way, or was made and not ended yet. */
  holds(token: string): boolean {
    return this.#tokens.has(token);
  }

  /** What was claimed is settled, or given up. */
  end({ token }: Claim): void {
    this.#tokens.delete(token);
  }

  /** Looks at every delivery again at the next claim. */
  reset(): void {
    this.#bound = { ...beginning };
    this.#reset = performance.now();
  }

  /**
   * Interactive deliveries before bulk ones; every fifth claim the other way round, so that bulk moves on under any
   * load (PROTOCOL B11), unless it is to be of one priority only. Undefined where nothing is to be had. Committed when it returns (B1).
   */
  async claim(
    database: Queryable,
    { limit, leaseSeconds, probing }: { limit: number; leaseSeconds: number; probing: boolean },
  ): Promise<Claim | undefined> {
    if (performance.now() >= this.#reset + boundHolds) this.reset();
    this.#turn = (this.#turn + 1) % 5;
    const sooner = this.#only ?? (this.#turn === 0 ? 'bulk' : 'interactive');
    const later = sooner === 'bulk' ? 'interactive' : 'bulk';
    const token = randomUUID();
    const leaseEnds = performance.now() + leaseSeconds * 1000;
    const { life } = this.#claimant;
    const rows = await this.#ask(database, token, [
      this.#target,
      sooner === 'interactive' ? 0 : 1,
      this.#bound[sooner],
      limit,
      token,
      leaseSeconds,
      probing,
      this.#claimant.revision,
      this.#claimant.host,
      this.#claimant.instance,
      this.#bound[later],
      this.#only ? 0 : limit,
    ]);
    this.#isWaiting = rows[0]?.state === 'waiting';
    const deliveries = rows.flatMap((row) => (row.key === null ? [] : [row]));
    const [first] = deliveries;
    if (!first) {
      this.#tokens.delete(token);
      return undefined;
    }
    const oldest = Math.min(...deliveries.map(({ dueAt }) => dueAt.getTime()));
    const priority = first.priority === 0 ? 'interactive' : 'bulk';
    this.#bound[priority] = new Date(oldest - 10_000).toISOString();
    const { epoch, identity, mode, admitted } = first;
    return { target: this.#target, token, epoch, identity, mode, admitted, priority, deliveries, leaseEnds, life };
  }

  /** A claim that is not answered may have been made all the same: nobody holds it, and it is freed (`freeForgotten`). */
  async #ask(database: Queryable, token: string, values: unknown[]): Promise<Row[]> {
    this.#tokens.add(token);
    try {
      return (await database.query<Row>({ name: 'claim', text: statement, values })).rows;
    } catch (error) {
      this.#tokens.delete(token);
      throw error;
    }
  }
}
