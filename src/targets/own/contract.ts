/**
 * What a module must be that staffetta.yml names as the `type` of a target. Its author imports types only:
 *
 * ```ts
 * import type { CreateTarget } from 'staffetta/target';
 * const create: CreateTarget = (options, { TargetError, secret }) => ({ … });
 * export default create;
 * ```
 */
import type { Target, TargetError } from '../target.ts';

export type * from '../target.ts';

/** What a module makes. What it leaves out of `Target` stays out, but for `normalise`, `same`, `aside` and `close`: see `withDefaults`. */
export type OwnTarget = Pick<Target, 'ping' | 'apply'> & Partial<Target>;

/** The default export of a module. It may throw: the target is then not opened, and the message told. */
export type CreateTarget<Options = Readonly<Record<string, unknown>>> = (
  options: Options,
  context: TargetContext,
) => OwnTarget | Promise<OwnTarget>;

/** What a module is told of where it is. */
export interface TargetContext {
  /** The failures of a target, by kind; whatever else is thrown counts as `unknown`. */
  readonly TargetError: typeof TargetError;
  /** What `staffetta.yml` calls the target. */
  readonly name: string;
  /** The folder of `staffetta.yml`, absolute. */
  readonly folder: string;
  /** The entities that it follows. */
  readonly entities: Readonly<Record<string, EntityOfTarget>>;
  /** What `secrets:` says, read at this moment. Throws TargetError `misconfigured` where it is not to be had. */
  secret(name: string): string;
  /** Lines in the daemon's log, with the target's name. No values of attributes belong there. */
  readonly log: { readonly [Level in 'debug' | 'info' | 'warn' | 'error']: (message: string) => void };
}

/** What `staffetta.yml` says of an entity, as far as a target may want to know. */
export interface EntityOfTarget {
  /** The template of its remote id. */
  readonly id: string;
  /** The attributes by name; undefined: every column of the view. */
  readonly attributes: Readonly<Record<string, AttributeOfTarget>> | undefined;
}

export interface AttributeOfTarget {
  /** Its values are secret: they belong in no message and no log. */
  readonly secret: boolean;
  /** The entity that it refers to, where it is a reference. */
  readonly ref?: string;
}
