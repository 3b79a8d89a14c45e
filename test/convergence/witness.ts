import { normaliseDn } from '../../src/targets/ldap/dn.ts';
import { budget, type Conduct, daysDisabled } from './conduct.ts';
import { entityAt, type TargetName } from './desired.ts';
import type { Confidant } from './proxy.ts';
import type { Listener, Request } from './wire.ts';

type Counted = 'removal' | 'clearing';

/**
 * Judges what daemons ask of a target while they do, by the bytes that pass and not by what Staffetta says of them:
 * nothing goes out that an administrator has not let go out.
 */
export class Witness implements Listener, Confidant {
  readonly #target: TargetName;
  readonly #conduct: Conduct;
  readonly #findings = new Set<string>();
  /** By entity and what is counted. */
  readonly #spent = new Map<string, number>();
  readonly #approved = new Map<string, number>();
  /** Entries that were to be made, and nobody was told whether they were. */
  readonly #doubtful = new Set<string>();
  #days = 0;
  #silence: string | undefined;
  #asked = 0;

  constructor(target: TargetName, conduct: Conduct) {
    this.#target = target;
    this.#conduct = conduct;
  }

  get findings(): readonly string[] {
    return [...this.#findings];
  }

  /** How many changes were asked for so far. */
  get changes(): number {
    return this.#asked;
  }

  /** From now on nothing may be asked for, and why; undefined: anything may. */
  set silence(why: string | undefined) {
    this.#silence = why;
  }

  /** So many deliveries of an entity are about to be approved. */
  allow(entity: string, count: number): void {
    this.#approved.set(entity, (this.#approved.get(entity) ?? 0) + count);
  }

  /** So many days are about to pass. */
  pass(days: number): void {
    this.#days += days;
  }

  asked({ operation, dn }: Request): void {
    this.#asked += 1;
    if (operation === 'add') this.#doubtful.add(normaliseDn(dn));
    if (this.#silence !== undefined) this.#say(`was sent a request to ${operation} ${dn} although ${this.#silence}`);
  }

  untold({ operation, dn }: Request): void {
    if (operation === 'add') this.#doubtful.add(normaliseDn(dn));
  }

  told({ operation, dn }: Request): void {
    if (operation === 'add') this.#doubtful.delete(normaliseDn(dn));
  }

  done(request: Request): void {
    const entity = entityAt(this.#target, request.dn);
    if (entity === undefined) return;
    const removes = request.operation === 'delete';
    if (removes && this.#target === 'archive' && entity === 'person' && !this.#mayDelete(request.dn))
      this.#say(`${request.dn} was deleted after ${this.#days} days`);
    const disables = request.below?.startsWith('ou=left,') === true && !request.dn.includes(',ou=left,');
    if (removes || disables) this.#count(entity, 'removal');
    if (clears(request)) this.#count(entity, 'clearing');
  }

  /**
   * People who have left are disabled first, and for long. But who got another's entry meanwhile has one too many, should
   * the one turn up that was to be made before.
   */
  #mayDelete(dn: string): boolean {
    return (this.#conduct.stepwise && this.#days >= daysDisabled) || this.#doubtful.delete(normaliseDn(dn));
  }

  #count(entity: string, what: Counted): void {
    const name = `${entity} ${what}`;
    const spent = (this.#spent.get(name) ?? 0) + 1;
    this.#spent.set(name, spent);
    const approved = this.#approved.get(entity) ?? 0;
    // Disabling takes a password away, which the guard counts as the removal that it is.
    const isPartOfRemoval = name === 'person clearing' && this.#target === 'archive';
    if (this.#conduct.guarded && !isPartOfRemoval && spent > budget + approved)
      this.#say(`the guard let through ${name} beyond ${budget} and the ${approved} that were approved`);
  }

  #say(what: string): void {
    this.#findings.add(`${this.#target}: ${what}`);
  }
}

/** Whether a change leaves an attribute without a value, or a group without a member. */
function clears({ operation, changes }: Request): boolean {
  return (
    operation === 'modify' &&
    changes.some(({ action, values }) => action !== 'delete' && (values.length === 0 || values.includes('cn=nobody')))
  );
}
