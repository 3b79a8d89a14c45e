import type { Parameters } from '../database/parameters.ts';
import { TooLate } from '../hooks/hook.ts';
import type { Hooks } from '../hooks/hooks.ts';
import type { Begin } from '../hooks/round.ts';
import type { TargetError } from '../targets/target.ts';
import type { Claim } from './claim.ts';
import { concurrently } from './concurrently.ts';
import { type Handing, hand, withoutPassword } from './hand.ts';
import { sendHooked } from './hooked.ts';
import type { Loaded } from './load.ts';
import { type Outcome, release } from './outcome.ts';
import type { Write } from './plan.ts';
import type { Destination } from './route.ts';
import type { Ready } from './secure.ts';
import { failed, isEmpty, send } from './send.ts';

/** Milliseconds that are left for settling after the last hook. */
const settling = 1000;

/**
 * The way to a target while a batch is under way. It is open until the target cannot be reached or refuses us, we are
 * told to stop, or an operation would not be over before the claim is; what comes then is given back.
 */
export class Channel {
  readonly #destination: Destination;
  readonly #parameters: Parameters;
  readonly #claim: Claim;
  readonly #stop: AbortSignal;
  readonly #opened = performance.now();
  #reached = false;
  #sent = 0;
  #unavailable: string | undefined;
  #retryAfter: number | undefined;
  #misconfigured: string | undefined;

  constructor(destination: Destination, parameters: Parameters, claim: Claim, stop: AbortSignal) {
    this.#destination = destination;
    this.#parameters = parameters;
    this.#claim = claim;
    this.#stop = stop;
  }

  /**
   * Whether something may still be sent: the target takes it, and it would be over before the claim is, or others take
   * us for dead (PROTOCOL B4).
   */
  get isOpen(): boolean {
    const before = performance.now() + this.#destination.timeout < this.#ends;
    return before && !this.#stop.aborted && !this.#unavailable && !this.#misconfigured;
  }

  /** When the claim is over, or others take us for dead. */
  get #ends(): number {
    const { leaseEnds, life } = this.#claim;
    return Math.min(leaseEnds, life.ends);
  }

  /** The target answered something. */
  get reached(): boolean {
    return this.#reached;
  }

  /** It could not be reached: why. */
  get unavailable(): string | undefined {
    return this.#unavailable;
  }

  /** Seconds after which it wants to be asked again, if it said so. */
  get retryAfter(): number | undefined {
    return this.#retryAfter;
  }

  /** It refuses us altogether: why. */
  get misconfigured(): string | undefined {
    return this.#misconfigured;
  }

  /** How many changes may have gone out so far. */
  get sent(): number {
    return this.#sent;
  }

  /** It showed us an entry. */
  answered(): void {
    this.#reached = true;
  }

  /** It cannot be used, before anything was sent. */
  close(error: TargetError): void {
    if (error.kind === 'misconfigured') this.#misconfigured = error.message;
    else this.#unavailable = error.message;
    this.#retryAfter = error.retryAfter;
  }

  /** `actors`: who made the last change of an identity, by key, for hooks. */
  sendAll(ready: readonly Ready[], actors: ReadonlyMap<string, string> = new Map()): Promise<Outcome[]> {
    this.#sent += ready.length;
    return concurrently(ready, this.#destination.concurrency, async (item) => {
      if (!this.isOpen) return release(item.loaded.claimed);
      const { hooks } = this.#destination;
      if (!hooks || isEmpty(item.write)) return await this.#send(item);
      return await this.#sendHooked(hooks, item, actors.get(item.loaded.claimed.key) ?? null);
    });
  }

  async #send({ loaded, write }: Ready): Promise<Outcome> {
    const outcome = await send(this.#destination, loaded, write, this.#parameters);
    this.#note(outcome);
    return outcome;
  }

  #sendHooked(hooks: Hooks, item: Ready, actor: string | null): Promise<Outcome> {
    const { timeout } = this.#destination;
    const way = {
      hooks,
      actor,
      before: this.#begin(timeout),
      after: this.#begin(settling),
      send: async () => (this.isOpen ? await this.#send(item) : undefined),
      failed: (error: TargetError) => this.failed(item.loaded, error, item.write),
    };
    return sendHooked(this.#destination, item, way, this.#parameters);
  }

  /** Begins what is over, and `rest` milliseconds more, before the claim is. */
  #begin(rest: number): Begin {
    return (timeout) => {
      const needed = timeout + rest;
      if (performance.now() + needed < this.#ends) return AbortSignal.timeout(timeout);
      throw new TooLate(timeout, this.#opened + needed >= this.#ends);
    };
  }

  handAll(handings: readonly Handing[]): Promise<Outcome[]> {
    this.#sent += handings.length;
    return concurrently(handings, this.#destination.concurrency, async (handing) => {
      if (!this.isOpen) return withoutPassword(handing.outcome, release(handing.loaded.claimed));
      const outcome = await hand(this.#destination, handing, this.#parameters);
      this.#note(outcome);
      return outcome;
    });
  }

  /** What it means for a delivery that the target could not say how its entry is. */
  failed(loaded: Loaded, error: TargetError, write?: Write): Outcome {
    const outcome = failed(this.#destination, loaded, error, this.#parameters, write);
    this.#note(outcome);
    return outcome;
  }

  #note({ error }: Outcome): void {
    if (error?.kind !== 'unavailable') this.#reached = true;
    if (error?.kind === 'unavailable') this.#unavailable ??= error.message;
    if (error?.retryAfter !== undefined) this.#retryAfter = Math.max(this.#retryAfter ?? 0, error.retryAfter);
    if (error?.kind === 'misconfigured') this.#misconfigured ??= error.message;
  }
}
