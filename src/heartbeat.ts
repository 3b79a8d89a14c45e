/**
 * A daemon's heartbeat: says that it is alive, before anything that may take long; then asks whether it may deliver, and
 * takes over from daemons that are dead.
 *
 * allowed ⇄ refused: another configuration or another version of Staffetta was applied than this daemon's, or the
 * database is a copy of the one that was applied to (PROTOCOL C6, C7).
 */
import { beat, type Instance } from './instance.ts';
import type { Log } from './log.ts';

export interface HeartbeatEvents {
  /** It may deliver (still, or again), or there is more to deliver. */
  allowed(): void;
  /** It was refused, and is not any longer: what was applied meanwhile may be another than what it read at its start. */
  readmitted(): void;
}

export class Heartbeat {
  readonly #instance: Instance;
  readonly #log: Log;
  readonly #events: HeartbeatEvents;
  readonly #pool: () => string | undefined;
  #state: 'starting' | 'running' | 'stopping' = 'starting';
  #refusal: string | undefined;
  #saying: Promise<void> | undefined;
  #looking: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** `pool`: graphile-worker's name for its worker pool at present. */
  constructor(instance: Instance, log: Log, pool: () => string | undefined, events: HeartbeatEvents) {
    this.#instance = instance;
    this.#log = log;
    this.#pool = pool;
    this.#events = events;
  }

  /** Why the daemon may not deliver, if it may not. */
  get refusal(): string | undefined {
    return this.#refusal;
  }

  /** Beats once, then by itself. Throws where the database cannot be used. */
  async start(): Promise<void> {
    await this.#say();
    await this.#look();
    this.#timer = setInterval(() => this.now(), beat);
  }

  /** The daemon is at work, or about to stop. */
  become(state: 'running' | 'stopping'): void {
    this.#state = state;
    this.now();
  }

  /** Beats out of turn. What fails is tried again at the next beat. */
  now(): void {
    this.#saying = this.#say().catch(() => {});
    this.#looking ??= this.#look()
      .catch(() => {})
      .finally(() => {
        this.#looking = undefined;
      });
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all([this.#saying, this.#looking]);
    await this.#instance.end();
  }

  async #say(): Promise<void> {
    const state = this.#refusal !== undefined && this.#state === 'running' ? 'refused' : this.#state;
    await this.#instance.beat(state, { message: this.#refusal, pool: this.#pool() });
  }

  async #look(): Promise<void> {
    const { refusal, restored } = await this.#instance.refusal();
    if (restored)
      this.#log.warn(
        'the database was restored or has failed over: every link is read back before it is trusted, and removals wait for a reconcile',
      );
    const before = this.#refusal;
    this.#refusal = refusal;
    if (refusal !== before) {
      if (refusal) this.#log.error(refusal);
      else this.#log.info('this daemon may deliver again');
      await this.#say();
    }
    if (refusal !== undefined) return;
    const taken = await this.#instance.takeOver();
    if (taken) this.#log.warn({ ...taken }, 'took over from a daemon that is dead');
    this.#events.allowed();
    if (before !== undefined) this.#events.readmitted();
  }
}
