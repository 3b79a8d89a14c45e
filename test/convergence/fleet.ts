import { setTimeout } from 'node:timers/promises';
import type { Process } from '../setup/process.ts';
import type { MappingName } from './configuration.ts';
import type { Site } from './site.ts';

interface Member {
  readonly process: Process;
  /** The mapping that it was started with; undefined: another came while it started, so that nobody knows. */
  mapping: MappingName | undefined;
  /** We have ended it, or are about to. */
  ending: boolean;
  /** With SIGKILL, whatever else it was sent. */
  killed: boolean;
}

/**
 * Daemons, each a process, started anew like by a service manager: one that ends before it is at work, because the
 * database is away, is started again. One that ends by itself later is a finding.
 */
export class Fleet {
  readonly #site: Site;
  readonly #members = new Map<number, Member>();
  readonly #findings: string[] = [];
  /** The last lines of those that have ended. */
  readonly #past: string[] = [];
  #mapping: MappingName = 'plain';
  #closed = false;

  constructor(site: Site) {
    this.#site = site;
  }

  /** What daemons did that they should not: end by themselves. */
  get findings(): readonly string[] {
    return this.#findings;
  }

  /** The mapping that daemons are started with from now on; those that run keep theirs. */
  set mapping(mapping: MappingName) {
    this.#mapping = mapping;
  }

  /** Starts a daemon; returns when it is at work. */
  async start(index: number): Promise<void> {
    while (!this.#closed) {
      const process = this.#site.spawnDaemon();
      const member: Member = { process, mapping: this.#mapping, ending: false, killed: false };
      this.#members.set(index, member);
      const ended = process.ended.then((how) => ({ how }));
      while (!isAtWork(process)) {
        const over = await Promise.race([ended, setTimeout(20)]);
        if (over) break;
      }
      if (!isAtWork(process) && !member.ending) continue;
      if (member.mapping !== this.#mapping) member.mapping = undefined;
      void ended.then(({ how }) => {
        if (!member.ending) this.#findings.push(`daemon ${index} ended by itself (${how}): ${process.printed.stderr}`);
      });
      return;
    }
  }

  /**
   * Has a signal end a daemon, if it runs; returns when it has ended. One that has only begun to start ends by the signal
   * itself.
   */
  async end(index: number, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const member = this.#members.get(index);
    if (!member) return;
    member.ending = true;
    member.killed ||= signal === 'SIGKILL';
    if (signal === 'SIGTERM') member.process.child.kill('SIGCONT');
    member.process.child.kill(signal);
    const over = await Promise.race([member.process.ended.then((how) => ({ how })), setTimeout(15_000)]);
    if (!over) {
      this.#findings.push(`daemon ${index} did not stop within 15 s: ${member.process.printed.stderr}`);
      member.process.child.kill('SIGKILL');
    } else if (!member.killed && over.how !== 0 && (over.how !== 'SIGTERM' || isAtWork(member.process)))
      this.#findings.push(`daemon ${index} ended with ${over.how}: ${member.process.printed.stderr}`);
    this.#past.push(...lastLines(index, member.process));
    this.#members.delete(index);
  }

  /** Kills all daemons that are at work, at once; answers which these were. */
  async killAll(): Promise<number[]> {
    const killed = [...this.#members].flatMap(([index, { process, ending }]) => {
      return isAtWork(process) && !ending ? [index] : [];
    });
    await Promise.all(killed.map((index) => this.end(index, 'SIGKILL')));
    return killed;
  }

  /** Has a daemon read its configuration again, if it runs. */
  reload(index: number): void {
    const member = this.#members.get(index);
    if (!member || !isAtWork(member.process)) return;
    member.mapping = undefined;
    member.process.child.kill('SIGHUP');
  }

  signal(index: number, signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#members.get(index)?.process.child.kill(signal);
  }

  /** The daemons that run with another mapping than the present one. */
  outdated(): number[] {
    return [...this.#members].flatMap(([index, { mapping }]) => (mapping === this.#mapping ? [] : [index]));
  }

  /** The last lines that each daemon printed, of those that have ended, too. */
  printed(): string[] {
    return [...this.#past, ...[...this.#members].flatMap(([index, { process }]) => lastLines(index, process))];
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#members.keys()].map((index) => this.end(index, 'SIGTERM')));
  }
}

function isAtWork({ printed: { stderr } }: Process): boolean {
  return stderr.includes('"running"') && stderr.includes('connected to the database');
}

function lastLines(index: number, { printed: { stderr } }: Process): string[] {
  const lines = stderr.trimEnd().split('\n').slice(-12);
  return lines.map((line) => `daemon ${index}: ${line}`);
}
