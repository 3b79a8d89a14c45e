import { setTimeout } from 'node:timers/promises';
import type { Act } from './act.ts';
import { approve, discardCrowd, findHeld } from './approval.ts';
import { type Mode, timeouts } from './configuration.ts';
import type { Configured } from './configured.ts';
import { type TargetName, unitsOf } from './desired.ts';
import { type Followed, leaseSeconds, type Site } from './site.ts';
import { Strangers } from './strangers.ts';
import { type Tampering, tamper } from './tamper.ts';

/** Milliseconds that an administrator who wants to say something waits for what there is to be said. */
const patience = 3000;

/** What people do by hand. What is done to one target is done one thing after the other. */
export class Acts {
  readonly #site: Site;
  readonly #configured: Configured;
  readonly #strangers = new Strangers();
  readonly #spared = new Map<TargetName, Set<string>>();
  readonly #findings: string[] = [];
  readonly #busy = new Map<string, Promise<void>>();

  constructor(site: Site, configured: Configured) {
    this.#site = site;
    this.#configured = configured;
  }

  /** The people whose removal from a target was discarded: they may still be there. */
  spared(target: TargetName): ReadonlySet<string> {
    return this.#spared.get(target) ?? new Set();
  }

  /** Lets it happen; resolves when it is over. */
  happen(act: Act): Promise<void> {
    const name = 'target' in act ? this.#site.followed(act.target).name : act.do;
    const before = this.#busy.get(name) ?? Promise.resolve();
    const now = before.then(() => this.#happen(act));
    this.#busy.set(name, now);
    return now;
  }

  /** Mends on every target what people changed there, and what was discarded without being unwanted. */
  async makeGood(): Promise<void> {
    for (const [target, keys] of this.#spared)
      await this.#site.query(`select staffetta.replay('person', $2::text[], $1)`, [target, [...keys]]);
    const names = [...this.#site.targets.keys()];
    const played = names.filter((name) => this.#site.means(name) === 'script');
    if (played.length === 0) return this.#reconcile([], 5);
    for (const name of names) await (played.includes(name) ? this.#replayAll(name) : this.#reconcile([name], 5));
  }

  /** So many days go by. */
  async pass(days: number): Promise<void> {
    for (const { witness } of this.#site.targets.values()) witness.pass(days);
    // Whoever settles holds links and deliveries in another order: one table at a time, alone.
    for (const table of ['link', 'delivery'])
      await this.#site.query(
        `lock table staffetta.${table} in exclusive mode;
         update staffetta.${table} set absent_since = absent_since - interval '${days} days' where absent_since is not null`,
      );
    await this.#site.query('select staffetta.sweep()');
  }

  /** What commands said that they should not, and what became of entries that are nobody's. */
  async findings(): Promise<string[]> {
    return [...this.#findings, ...(await this.#strangers.findings())];
  }

  async #happen(act: Act): Promise<void> {
    if (act.do === 'let days pass') return this.pass(act.days);
    const followed = this.#site.followed(act.target);
    const { name, directory } = followed;
    switch (act.do) {
      case 'look on':
        return this.#quietly(followed, 'observe', act.away);
      case 'ask for a word':
        return this.#quietly(followed, 'manual', act.away, async () => {
          await approve(this.#site, name, await findHeld(this.#site, name, 0), act.share);
          await setTimeout(act.away);
        });
      case 'approve':
        return approve(this.#site, name, await findHeld(this.#site, name, patience), act.share);
      case 'discard':
        return this.#discard(name);
      case 'reconcile':
        return this.#site.means(name) === 'script' ? this.#replayAll(name) : this.#reconcile([name], 0);
      case 'change an entry':
        return tamperWith(followed, 'change', act.entry);
      case 'delete an entry':
        return tamperWith(followed, 'delete', act.entry);
      case 'add an entry':
        return whereItAnswers(this.#strangers.add(directory, act.within ? unitsOf(name)[0] : undefined));
    }
  }

  /** For a while a target is not sent anything but what was let go out before it; `afterwards`: what is done before it is live again. */
  async #quietly(
    { name, witness }: Followed,
    mode: Exclude<Mode, 'live'>,
    away: number,
    afterwards: () => Promise<void> = async () => {},
  ): Promise<void> {
    await this.#configured.mode(name, mode);
    const lease = Math.max(leaseSeconds * 1000, 3 * timeouts[this.#site.means(name)]);
    await setTimeout(lease + 50); // what was claimed before goes out until its claims run out
    witness.silence = `its mode is ${mode}`;
    await setTimeout(away);
    witness.silence = undefined;
    await afterwards();
    await this.#configured.mode(name, 'live');
  }

  /** Nobody of the crowd has to go. Their names are never another's, who would have to wait for them. */
  async #discard(target: TargetName): Promise<void> {
    const keys = await discardCrowd(this.#site, target, await findHeld(this.#site, target, patience));
    this.#spared.set(target, this.spared(target).union(new Set(keys)));
  }

  /** Has a backend, which cannot tell what is there, make everything as it should be. */
  async #replayAll(target: TargetName): Promise<void> {
    for (const entity of ['person', 'team'])
      await this.#site.query('select staffetta.replay_all($1, $2)', [entity, target]);
  }

  /** `tries`: as often it is asked for until it has seen everything, which a busy directory or an outage keeps it from. */
  async #reconcile(targets: readonly TargetName[], tries: number): Promise<void> {
    const { code, stdout, stderr } = await this.#site.run('reconcile', ...targets, '--repair', '--json');
    const isPartial = code === 2 || stdout.includes('"complete": false');
    if (isPartial && tries > 1) return this.#reconcile(targets, tries - 1);
    if ((isPartial && tries > 0) || (code !== 0 && code !== 1 && code !== 2))
      this.#findings.push(`reconcile ${targets} ended with ${code}: ${stderr} ${stdout}`);
  }
}

/** A counterpart that is not a directory is changed itself: what the directory holds is made like it only in the end. */
async function tamperWith({ name, directory, counterpart }: Followed, how: Tampering, nth: number): Promise<void> {
  if (counterpart?.tamper) counterpart.tamper(how, nth);
  else await whereItAnswers(tamper(how, name, directory, nth));
}

/** A person whose directory is away, or whose entry is not there any more, leaves it. */
async function whereItAnswers(work: Promise<void>): Promise<void> {
  await work.catch((error: unknown) => {
    if (!/ldap(search|modify|add)/.test(String(error))) throw error;
  });
}
