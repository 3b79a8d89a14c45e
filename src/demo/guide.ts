import { setTimeout } from 'node:timers/promises';
import type { Arrivals } from './arrivals.ts';
import { carriedSince, lagsSince, moment } from './carried.ts';
import { compareDirectory } from './compare.ts';
import { compareAccounts } from './compare-accounts.ts';
import { compareCards } from './compare-cards.ts';
import { comparePhonebook } from './compare-phonebook.ts';
import { formatDuration } from './duration.ts';
import { untilIdle, untilParked } from './idle.ts';
import { changeByHand } from './ldap-tools.ts';
import type { Scene } from './scenes.ts';
import type { Screen } from './screen.ts';
import { count, type Stage } from './stage.ts';
import { TourError } from './tour-error.ts';

/** One thing that the tour showed. */
export interface Step {
  readonly step: string;
  /** Until the directory showed it: all entries of the entity that was changed. */
  readonly ms: number;
  /** Until everything had followed that refers to them: a person's groups, written once for many changes. */
  readonly all_ms: number;
}

/** How many changes, and how many people make them at the same time. */
const crowd = { changes: 200, writers: 8 };

/** Leads through the tour: makes something happen, waits until the directory shows it, and says so. */
export class Guide {
  readonly #stage: Stage;
  readonly #screen: Screen;
  readonly #stop: AbortSignal;
  readonly #arrivals: Arrivals;
  readonly #steps: Step[];

  constructor(stage: Stage, screen: Screen, stop: AbortSignal, arrivals: Arrivals, steps: Step[]) {
    this.#stage = stage;
    this.#screen = screen;
    this.#stop = stop;
    this.#arrivals = arrivals;
    this.#steps = steps;
  }

  async play({ name, told, sql, entity }: Scene): Promise<void> {
    await this.#step(name, entity, async () => {
      const { rowCount } = await this.#stage.application.query(sql);
      if (!rowCount) throw new TourError(`${name}: nobody to change in the registry`);
      return told;
    });
  }

  /** The directory is stopped, changes are made all the same, and it is started again. */
  async outage(): Promise<void> {
    const { application, directory } = this.#stage;
    await this.#screen.step('directory stopped', async () => {
      await directory.stop();
      const times: number[] = [];
      for (const id of await this.#people(20)) {
        const before = performance.now();
        await application.query('update registry.person set phone = $2 where id = $1', [id, `+39 0${id}`]);
        times.push(performance.now() - before);
      }
      const slowest = formatDuration(Math.max(...times));
      await this.#untilWaiting();
      return { note: `${times.length} changes made meanwhile, the slowest took ${slowest}; status: waiting` };
    });
    await this.#step('directory started', 'person', async () => {
      await directory.start();
      return 'it is noticed, and what was missed follows by itself';
    });
  }

  /** Somebody changes an entry by hand, and an administrator has it mended. */
  async replay(): Promise<void> {
    const { directory, owner } = this.#stage;
    const { rows } = await owner.query<{ dn: string }>(
      `select remote_id as dn from staffetta.link where (target, entity, key) = ('directory', 'person', '42')`,
    );
    const dn = Buffer.from(rows[0]?.dn ?? '').toString('base64');
    await changeByHand(directory, `dn:: ${dn}\nchangetype: modify\nreplace: sn\nsn: Changed by hand\n-\ndelete: mail`);
    await this.#step('replay', 'person', async () => {
      await owner.query(`select * from staffetta.replay('person', '42', reason => 'changed by hand')`);
      return `select * from staffetta.replay('person', '42') mends an entry that was changed by hand`;
    });
  }

  /** An import goes wrong and takes everybody out of the view; the guard holds the removals, and the import is mended. */
  async massDeletion(): Promise<void> {
    const { application, owner } = this.#stage;
    await this.#screen.step('mass deletion', async () => {
      const since = await moment(owner);
      const { rows } = await application.query<{ id: string }>(
        'update registry.person set no_replication = true where uid is not null and not no_replication returning id',
      );
      const people = rows.map(({ id }) => id);
      await this.#untilHeld(people.length);
      await application.query('update registry.person set no_replication = false where id = any ($1)', [people]);
      await untilIdle(owner, 'The step "mass deletion"', this.#stop);
      const removed = (await carriedSince(owner, since)).reduce((sum, { writes }) => sum + writes, 0);
      if (removed > 0) throw new TourError(`The guard let ${removed} changes through when everybody left the view.`);
      return {
        note: `${count(people.length)} people vanish from the view: the guard holds every removal; back again, nothing is to do`,
      };
    });
  }

  /** Until so many removals are held by the guard. */
  async #untilHeld(people: number): Promise<void> {
    const deadline = performance.now() + 120_000;
    for (;;) {
      const { rows } = await this.#stage.owner.query<{ held: number }>(
        `select count(*)::int as held from staffetta.held where (target, entity) = ('directory', 'person')`,
      );
      const held = rows[0]?.held ?? 0;
      if (held === people) return;
      if (performance.now() > deadline)
        throw new TourError(`Of ${people} people who left the view, the guard holds ${held} after two minutes.`);
      await setTimeout(10, undefined, { signal: this.#stop });
    }
  }

  /** A few people change something at the same time, each the next thing when the last is in the directory. */
  async concurrently(): Promise<{ readonly p50: number; readonly p99: number }> {
    const { application, owner } = this.#stage;
    const since = await moment(owner);
    const ids = await this.#people(crowd.changes);
    const left = ids.values();
    const writer = async () => {
      for (const id of left) {
        const arrival = this.#arrivals.next('person', String(id), this.#stop);
        const change = application.query('update registry.person set phone = $2 where id = $1', [id, `+1 ${id}`]);
        await Promise.all([arrival, change]);
      }
    };
    await this.#step('crowd', 'person', async () => {
      await Promise.all(Array.from({ length: crowd.writers }, writer));
      return `${ids.length} changes by ${crowd.writers} people at once, each waiting for the last to arrive`;
    });
    return lagsSince(owner, 'person', since);
  }

  /** Somebody gets a login that a hook refuses; the delivery is parked, and says so. */
  async refusal(): Promise<void> {
    const { application, owner } = this.#stage;
    await this.#screen.step('refusal', async () => {
      const { rows } = await application.query<{ id: string }>(
        `insert into registry.person (uid, given_name, family_name, status) values ('root', 'Toor', 'Esperto', 'staff') returning id`,
      );
      return { note: `"root" is no login for a person: ${await untilParked(owner, rows[0]?.id ?? '', this.#stop)}` };
    });
  }

  /** Every entry, by other means than the product's own. */
  async compare() {
    const { directory, env } = this.#stage;
    return await this.#screen.step('comparison', async () => {
      const comparison = await compareDirectory({ databaseUrl: env.DATABASE_URL, ldap: directory });
      const badges = await compareCards(env.DATABASE_URL, env.CARDS);
      const desk = await compareAccounts(env.DATABASE_URL, { url: env.SCIM_URL, token: env.SCIM_TOKEN });
      const book = await comparePhonebook(env.DATABASE_URL, env.PHONEBOOK);
      const { people, groups } = comparison;
      const { cards, accounts, lines } = { ...badges, ...desk, ...book };
      return {
        ...comparison,
        cards,
        accounts,
        lines,
        mismatches: [comparison, badges, desk, book].flatMap(({ mismatches }) => mismatches),
        note: `every one of ${count(people + groups)} entries, by ldapsearch, of ${count(cards)} cards, ${count(accounts)} SCIM accounts and ${count(lines)} lines of ${count(book.files)} CSV files`,
      };
    });
  }

  /** Does something, waits until the directory has followed, and says how long that took. */
  async #step(name: string, entity: 'person' | 'group', change: () => Promise<string>): Promise<void> {
    const { owner } = this.#stage;
    await this.#screen.step(name, async () => {
      const since = await moment(owner);
      const told = await change();
      await untilIdle(owner, `The step "${name}"`, this.#stop);
      const carried = await carriedSince(owner, since);
      const own = carried.find((one) => one.entity === entity);
      if (!own)
        throw new TourError(`The step "${name}": no ${entity} was written in the directory, though one changed.`);
      const last = Math.max(...carried.map(({ ms }) => ms));
      this.#steps.push({ step: name, ms: round(own.ms), all_ms: round(last) });
      const followed = carried.filter((one) => one !== own && one.ms > own.ms);
      const after = followed.map(
        ({ writes, ms }) => ` (${writes} team${writes === 1 ? '' : 's'} followed after ${formatDuration(ms)})`,
      );
      return { ms: own.ms, note: told + after.join('') };
    });
  }

  /** The first so many people of the directory. */
  async #people(limit: number): Promise<number[]> {
    const { rows } = await this.#stage.owner.query<{ id: number }>(
      'select id::int from registry.v_person order by id limit $1',
      [limit],
    );
    return rows.map(({ id }) => id);
  }

  /** Until the status says that the directory is down. */
  async #untilWaiting(): Promise<void> {
    const deadline = performance.now() + 60_000;
    for (;;) {
      const { rows } = await this.#stage.owner.query<{ state: string }>(
        `select state from staffetta.status where target = 'directory' limit 1`,
      );
      const state = rows[0]?.state;
      if (state === 'waiting') return;
      if (performance.now() > deadline) {
        throw new TourError(`The directory was stopped a minute ago, but staffetta.status calls it ${state}.`);
      }
      await setTimeout(10, undefined, { signal: this.#stop });
    }
  }
}

/** To a tenth. */
export const round = (value: number): number => Math.round(value * 10) / 10;
