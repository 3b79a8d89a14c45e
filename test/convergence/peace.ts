import { setTimeout } from 'node:timers/promises';
import { attend } from './attention.ts';
import type { Site } from './site.ts';

/** Milliseconds without peace after which a sweep is asked for, which an installation does each minute. */
const sweepAfter = 8_000;

/** The state in which nothing is owed, with an administrator who does what is asked for on the way there. */
export class Peace {
  readonly #site: Site;
  readonly #patience: number;
  #swept: readonly string[] = [];

  /** `patience`: milliseconds until nothing may be owed any longer, once everything is well again. */
  constructor(site: Site, patience: number) {
    this.#site = site;
    this.#patience = patience;
  }

  /** What was still owed when a sweep was asked for; empty: no sweep was needed. */
  get swept(): readonly string[] {
    return this.#swept;
  }

  /** Waits until nothing is owed; answers with what is, or what is wrong then. */
  async reach(check: () => Promise<string[]> = async () => []): Promise<string[]> {
    const began = performance.now();
    let sweeps = 0;
    for (let before: string | undefined; ; await setTimeout(100)) {
      const owed = await this.#debts();
      const waited = performance.now() - began;
      if (owed.length > 0 && waited > this.#patience) return owed.map((debt) => `still owed: ${debt}`);
      if (owed.length > 0) await attend(this.#site);
      if (owed.length > 0 && waited > sweepAfter && sweeps === 0) {
        sweeps += 1;
        this.#swept = owed;
        await this.#site.query('select staffetta.sweep()');
      }
      if (owed.length > 0) continue;
      const wrong = await check();
      // Seen twice, and nothing was owed in between: nobody will change it.
      const isFinal = JSON.stringify(wrong) === before && (await this.#debts()).length === 0;
      if (wrong.length === 0 || isFinal) return wrong;
      before = JSON.stringify(wrong);
    }
  }

  async #debts(): Promise<string[]> {
    const rows = await this.#site.query<{ debt: string }>(
      `select 'delivery ' || (to_jsonb(d) - 'token')::text as debt from staffetta.delivery d
       union all select 'event ' || to_jsonb(e)::text from staffetta.event e
       union all select 'failed event ' || to_jsonb(f)::text from staffetta.event_failed f
       union all select 'rescan ' || to_jsonb(r)::text from staffetta.route r where rescan > 0
       union all select 'sweep ' || to_jsonb(j)::text from graphile_worker.jobs j where key = 'sweep'`,
    );
    return rows.map(({ debt }) => debt);
  }
}
