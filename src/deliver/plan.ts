import type { ReferencePolicy } from '../config/policies.ts';
import type { Step } from '../config/steps.ts';
import type { Change, RemoteState, Target, TargetErrorKind } from '../targets/target.ts';
import type { Mapped } from './diff.ts';
import type { Disable, Link } from './load.ts';
import type { Member } from './references.ts';
import type { Stored } from './stored.ts';
import type { Wait } from './wait.ts';

/** What the configuration says of an entity of a target, as far as planning asks. */
export interface Mapping extends Mapped {
  readonly entity: string;
  /** Attributes whose values belong to one key of the target each. */
  readonly unique: ReadonlySet<string>;
  readonly references: ReadonlyMap<string, ReferencePolicy>;
  /** Whether its entries take passwords that were handed over. */
  readonly passwords: boolean;
  /** What happens to an entry whose identity has left the view, in order; nothing: it is kept. */
  readonly deprovision: readonly Step[];
  /** Seconds that a removal waits for its re-insertion (PROTOCOL C2). */
  readonly removeAfter: number;
}

/** The live entry: undefined where nobody looked, 'absent' where it is proven not to be there. */
export type Live = RemoteState | 'absent' | undefined;

/** The words of the journal for what is done to an entry. */
export type Operation =
  | 'create'
  | 'update'
  | 'rename'
  | 'remove'
  | 'disable'
  | 'adopt'
  | 'release'
  | 'keep'
  | 'step aside'
  | 'password'
  | 'none';

/** What the link is to say afterwards. */
export interface NewLink {
  readonly remoteId: string;
  readonly state: Link['state'];
  readonly attributes: Stored;
  readonly fingerprint: string | null;
  readonly disable: Disable | null;
  /** Whether its identity was proven absent; left out: what is known of that stays. */
  readonly absent?: boolean;
}

export type Plan =
  /** Something goes out; `link` is recorded when it has, or dropped if it is undefined; 'leave': another look is needed. */
  | {
      readonly do: 'write';
      readonly operation: Operation;
      readonly change: Change;
      readonly link: NewLink | 'leave' | undefined;
      readonly members: readonly Member[];
      /** Not paid with this: whose remote id it waits for next. */
      readonly waitFor?: Wait;
      /** The identity is in the view: who its members are stays known, though it has no entry. */
      readonly holds?: true;
    }
  /** Nothing goes out: the link is recorded ('leave': as it is; undefined: dropped). */
  | {
      readonly do: 'settle';
      readonly operation: Operation;
      readonly link: NewLink | 'leave' | undefined;
      readonly members: readonly Member[];
      readonly holds?: true;
    }
  /** The key is absent for the first time: look again after so many seconds. */
  | { readonly do: 'defer'; readonly seconds: number }
  /** The entry belongs to another key now (PROTOCOL C4). */
  | { readonly do: 'hand over'; readonly to: { readonly entity: string; readonly key: string } }
  | { readonly do: 'park'; readonly kind: TargetErrorKind; readonly reason: string };

/** A plan of which something goes out. */
export type Write = Extract<Plan, { do: 'write' }>;

export interface Context {
  readonly mapping: Mapping;
  readonly target: Target;
  /** The installation's secret, which keys the hashes of secret values. */
  readonly secret: Buffer;
}
