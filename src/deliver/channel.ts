import type { Parameters } from '../database/parameters.ts';
import type { TargetError } from '../targets/target.ts';
import type { Claim } from './claim.ts';
import { concurrently } from './concurrently.ts';
import { type Handing, hand, withoutPassword } from './hand.ts';
import type { Loaded } from './load.ts';
import { type Outcome, release } from './outcome.ts';
import type { Destination } from './route.ts';
import type { Ready } from './secure.ts';
import { failed, send } from './send.ts';

/**
 * The way to a target while a batch is under way. It is open until the target cannot be reached or refuses us, we are
 * told to stop, or an operation would not be over before the claim is; what comes then is given back.
 */
export class Channel {
  readonly #destination: Destination;
  readonly #parameters: Parameters;
  readonly #claim: Claim;
  readonly #stop: AbortSignal;
  #reached = false;
  #sent = 0;
  #unavailable: string | undefined;
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
    const { leaseEnds, life } = this.#claim;
    const before = performance.now() + this.#destination.timeout < Math.min(leaseEnds, life.ends);
    return before && !this.#stop.aborted && !this.#unavailable && !this.#misconfigured;
  }

  /** The target answered something. */
  get reached(): boolean {
    return this.#reached;
  }

  /** It could not be reached: why. */
  get unavailable(): string | undefined {
    return this.#unavailable;
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
  }

  sendAll(ready: readonly Ready[]): Promise<Outcome[]> {
    this.#sent += ready.length;
    return concurrently(ready, this.#destination.concurrency, async ({ loaded, write }) => {
      if (!this.isOpen) return release(loaded.claimed);
      const outcome = await send(this.#destination, loaded, write, this.#parameters);
      this.#note(outcome);
      return outcome;
    });
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
  failed(loaded: Loaded, error: TargetError): Outcome {
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
