/**
 * What a hook is: a module of the administrator's own, called before and after each change of an entry. It may do what it
 * likes elsewhere, and with `panic` it stops what is under way. Whatever else becomes of it – it throws, hangs, dies or
 * answers nonsense – is recorded, and stops nothing.
 */
import type { HookFunction } from '../config/hooks.ts';
import type { RemoteState, SearchFilter, SearchOptions, TargetErrorKind, Value } from '../targets/target.ts';

export type { HookFunction } from '../config/hooks.ts';

/** An attribute with what happens to it. */
export interface CallAttribute {
  readonly name: string;
  /** add, delete: these values come and go; replace: it has these from now on, and no others. */
  readonly action: 'add' | 'replace' | 'delete';
  readonly values: readonly Value[];
  /** Its values are secret, and are left out unless the hook's configuration has `secrets: true`. */
  readonly secret?: true;
}

/** What a module said. */
export interface Said {
  /** 0: done. AOSI's modules number what went wrong -10XYY. */
  readonly code: number;
  readonly msg: string;
  /** Nothing further is to happen. */
  readonly panic: boolean;
}

/** What modules said so far: module → before or after. */
export type Statuses = Readonly<Record<string, { readonly before?: Said; readonly after?: Said }>>;

/** What became of a change. */
export interface ChangeOutcome {
  readonly done: boolean;
  /** 0: done; -81: there is no such entry; -1: anything else. */
  readonly code: number;
  readonly message: string;
  readonly kind?: TargetErrorKind;
  /** The remote id that the entry has now (of one that was removed: had). */
  readonly remoteId: string;
}

/** What a module is told. */
export interface Call {
  readonly function: HookFunction;
  /** Of an update: attributes that are added (1), modified (2) or deleted (3). */
  readonly type?: 1 | 2 | 3;
  readonly entity: string;
  readonly key: string;
  readonly target: string;
  readonly remoteId: string;
  /** The remote id that the entry is to have, where that is another. */
  readonly renameTo?: string;
  /** Where the target's tree begins; null where it has none. */
  readonly baseDn: string | null;
  /** Who made the last change of the identity. */
  readonly actor: string | null;
  readonly attributes: readonly CallAttribute[];
  /** The same as XML, as AOSI has it. */
  readonly entry: string;
  readonly status: Statuses;
  /** For the functions after a change. */
  readonly outcome?: ChangeOutcome;
}

/** A search on the target; it reads only. */
export type Search = (
  filter: SearchFilter,
  options: SearchOptions,
  signal: AbortSignal,
) => Promise<readonly RemoteState[]>;

/** What a call is made with. */
export interface Circumstances {
  readonly search: Search;
  /** The turn of the call has come: when to give it up. Throws `TooLate` where it might not be over in time. */
  readonly begin: () => AbortSignal;
}

export interface HookModule {
  readonly name: string;
  /** Milliseconds that a call may take. */
  readonly timeout: number;
  /** It sees the values of secret attributes. */
  readonly secrets: boolean;
  /** Calls a function; undefined where the module has none of this name. Throws `HookError` and `TooLate` only. */
  call(call: Call, circumstances: Circumstances): Promise<Said | undefined>;
}

/** A module that failed: it threw, hung, died, or answered nonsense. Its message is for people. */
export class HookError extends Error {
  override readonly name = 'HookError';
}

/** A call that is not begun, since it might not be over before the claim of its delivery is (PROTOCOL B4). */
export class TooLate extends Error {
  override readonly name = 'TooLate';
  /** It takes longer than any claim lasts. */
  readonly never: boolean;

  constructor(timeout: number, never: boolean) {
    super(
      `its hooks may take longer than a claim lasts (a call may take ${timeout} ms): shorten their timeouts, or raise LEASE_SECONDS`,
    );
    this.never = never;
  }
}
