/**
 * What a target is. A target knows how to bring one remote system to a state; it knows nothing of queues, keys to come
 * or retries. `deliver/` decides what to send and what an outcome means; the only thing it learns from a failure is
 * the `kind` of the `TargetError`.
 */

/** One value: text, or bytes marked as such. */
export type Value = string | { readonly base64: string };

/** Attribute name → values. An attribute that is absent has no values; an empty array is never stored. */
export type Attributes = Readonly<Record<string, readonly Value[]>>;

/** A password that was handed over. */
export interface Password {
  /** By its owner, or by somebody else. */
  readonly kind: 'change' | 'reset';
  readonly next: string;
  /** What whoever handed it over gave as the one before, and has verified. */
  readonly former: string | undefined;
}

/** Which entry is meant: by its stable id where it has one, else by its remote id. */
export interface Address {
  readonly remoteId: string;
  readonly stableId?: string;
}

/** One entry as it stands on the target. */
export interface RemoteState {
  /** The id by which it is addressed: a DN, a path, an id. */
  readonly remoteId: string;
  /** The id that survives a rename (entryUUID, objectGUID, SCIM id), where the target has one. */
  readonly stableId?: string;
  /** The attributes that were asked for. */
  readonly attributes: Attributes;
  /** Whether the account that Staffetta uses created it; undefined where the target does not tell. */
  readonly createdByUs?: boolean;
}

/** A change of one attribute. `replace` without values clears it; `add` and `delete` touch only the values given. */
export interface AttributeChange {
  readonly attribute: string;
  readonly action: 'replace' | 'add' | 'delete';
  readonly values: readonly Value[];
}

/** One entry to be written. */
export type Change =
  | {
      readonly operation: 'create';
      readonly entity: string;
      readonly remoteId: string;
      readonly attributes: Attributes;
    }
  | {
      /** Bring an existing entry up to date: first its new remote id, if `renameTo` is given, then its attributes. */
      readonly operation: 'update';
      readonly entity: string;
      readonly remoteId: string;
      readonly stableId?: string;
      readonly renameTo?: string;
      readonly changes: readonly AttributeChange[];
    }
  | { readonly operation: 'remove'; readonly entity: string; readonly remoteId: string; readonly stableId?: string };

/** What came of a change. */
export interface Applied {
  /** The remote id the entry has now (for `remove`: had). */
  readonly remoteId: string;
  readonly stableId?: string;
  /** What the target said beside it, for the write-back; no secrets. */
  readonly data?: Data;
}

/** What is known of an entry beside a change, for targets that write entries whole. */
export interface Whole {
  /** Everything that its mapping gives it, secrets included; undefined where its identity is not to be there. */
  readonly desired?: Attributes | undefined;
  /** What was last written to it, as far as that is kept: no secrets, nothing long. */
  readonly written: Attributes;
}

/** Something to hand on as JSON. */
export type Data = Readonly<Record<string, unknown>>;

/** What a target that answers says of itself. */
export interface Health {
  /** One line for a person: product, version, as whom we are connected. */
  readonly summary: string;
  /** Which installation this is, whatever name or address it has (PROTOCOL C5). */
  readonly identity: string;
}

/** The question whether an identity has an entry already: attribute → value, all of which must be equal. */
export interface Match {
  /** Returned with the answer, so that many questions can be asked at once. */
  readonly key: string;
  readonly entity: string;
  readonly where: Readonly<Record<string, Value>>;
}

/**
 * What a failure means, and so what happens next:
 * - `gone`: the entry to change is not there; it is looked for by its stable id, else created again.
 * - `converged`: the change had been made already; the entry is read and compared again.
 * - `exists`: the remote id is taken on the target; adopted if it matches, else a person must decide.
 * - `unavailable`: the target cannot be reached or is busy; the whole target waits, nobody's attempts are spent.
 * - `misconfigured`: credentials, rights or certificates are wrong; the target is quarantined at once.
 * - `dependency`: another entry (a parent, a member) must be there first.
 * - `rejected`: this entry is refused until a person or the source changes something; parked.
 * - `one-sided`: refused for lack of rights; parked, and many in a row quarantine the target.
 * - `unknown`: anything else; tried again a bounded number of times, then parked.
 */
export type TargetErrorKind =
  | 'gone'
  | 'converged'
  | 'exists'
  | 'unavailable'
  | 'misconfigured'
  | 'dependency'
  | 'rejected'
  | 'one-sided'
  | 'unknown';

/** A failure of a target. Its message is for people and never carries a secret. */
export class TargetError extends Error {
  override readonly name = 'TargetError';
  readonly kind: TargetErrorKind;
  /** Whether the operation may have taken effect although it failed: a timeout, a connection lost in mid-operation. */
  readonly unsure: boolean;
  /** What the target said beside it, for the write-back; no secrets. */
  readonly data: Data | undefined;
  /** Of `unavailable`: seconds after which the target wants to be asked again, and not before, if it said so. */
  readonly retryAfter: number | undefined;

  constructor(
    kind: TargetErrorKind,
    message: string,
    options: { unsure?: boolean; data?: Data; retryAfter?: number | undefined; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.kind = kind;
    this.unsure = options.unsure ?? false;
    this.data = options.data;
    this.retryAfter = options.retryAfter;
  }
}

/** What to search for: values that all of an entry's attributes have, or a filter in the target's own language (RFC 4515). */
export type SearchFilter = string | Readonly<Record<string, string>>;

/** Where to search, and for how much. */
export interface SearchOptions {
  /** Where the search begins; left out: where the tree does. */
  readonly base?: string | undefined;
  /** Default: sub. */
  readonly scope?: 'base' | 'sub' | undefined;
  /** Which attributes are wanted; none unless they are named. */
  readonly attributes?: readonly string[] | undefined;
  /** Entries that are enough; default: 100. */
  readonly limit?: number | undefined;
}

/** A remote system. Every method may be called many times at once, throws `TargetError` only, and honours `signal`. */
export interface Target {
  /** Is it reachable, are our credentials right, and which installation is it? */
  ping(signal: AbortSignal): Promise<Health>;

  /** What is wrong with files of its own, beside `staffetta.yml`: each with file and line. Asks no remote system. */
  mistakes?(): Promise<readonly string[]>;

  /**
   * Which installation the links belong to, as `ping` named it: whatever another one behind the same address is asked
   * from now on fails as `misconfigured`, before anything is done (PROTOCOL C5). Undefined: any will do.
   */
  expect?(identity: string | undefined): void;

  /** Make one change. `whole`: the entry that it is a change of, for a target that asks for it. */
  apply(change: Change, signal: AbortSignal, whole?: Whole): Promise<Applied>;

  /** Give an entry a password that was handed over; the same one may come twice. Left out: it takes none. */
  setPassword?(
    entry: Address & { readonly entity: string },
    password: Password,
    signal: AbortSignal,
    whole: Whole,
  ): Promise<void>;

  /**
   * The form of a remote id under which it is unique: two ids are the same entry exactly when these are equal.
   * Throws a `rejected` TargetError for an id that the target could never take.
   */
  normalise(remoteId: string): string;

  /**
   * The form of a value of a reference attribute under which two are the same entry. Left out: as `normalise`, for remote
   * ids; where members stand under their stable ids it is needed only if these have several forms.
   */
  normaliseReference?(value: string): string;

  /** It is told with each change the entry that it is a change of (`Whole`). */
  readonly whole?: true;

  /** Attributes of which values that are not ours are left alone, whatever the mapping (LDAP: objectClass). */
  readonly merged?: readonly string[];

  /** Are these the same set of values by the rules of the target (case, spaces, order)? */
  same(attribute: string, left: readonly Value[], right: readonly Value[]): boolean;

  /**
   * An entry as a person would write it aside to free its remote id during a swap: unique for the key, valid under the
   * same parent.
   */
  aside(remoteId: string, key: string): string;

  /** Look for existing entries, many identities with one search. Answers only for keys that have some. */
  find?(
    matches: readonly Match[],
    attributes: readonly string[],
    signal: AbortSignal,
  ): Promise<Map<string, RemoteState[]>>;

  /**
   * One live entry, by stable id where there is one, else by remote id; undefined where it is proven not to be there.
   * Where the stable id is gone, but another entry has the remote id, that is returned, with its own stable id: it is the
   * caller's to decide whether it may be taken over.
   */
  read?(entry: Address, attributes: readonly string[], signal: AbortSignal): Promise<RemoteState | undefined>;

  /** All live entries of an entity; throws unless it is sure to have seen every one. */
  scan?(entity: string, attributes: readonly string[], signal: AbortSignal): AsyncIterable<RemoteState>;

  /** Where the tree begins that holds the entries. Left out: it has no tree. */
  base?(signal: AbortSignal): Promise<string>;

  /** Entries, for hooks. Left out: it cannot be searched. */
  search?(filter: SearchFilter, options: SearchOptions, signal: AbortSignal): Promise<RemoteState[]>;

  /**
   * Publish what was taken in, if it is time: for a target whose `apply` keeps changes safe and hands them on later. Called
   * when a pump has nothing more to do, by each sweep, and at the end of `run --once`. What fails is tried again.
   */
  flush?(signal: AbortSignal): Promise<void>;

  /** Give up every connection. */
  close(): Promise<void>;
}
