/** What the author of a target gives the suite: the target, the real server behind it, and what can be done to that server. */
import type { Attributes, Target, TargetErrorKind, Value } from '../targets/target.ts';

/** A kind of target with a real server behind it. Names are those of entries: any text, since people have any. */
export interface Bench {
  readonly target: Target;
  readonly entity: string;
  /** The attribute that `attributes` fills with its second argument: single-valued text. */
  readonly title: string;
  /** An attribute of `attributes` that is unique to the name, for finding the entry. */
  readonly unique: string;
  /** The remote id of a name. */
  id(name: string): string;
  /** Attributes of an entry of that name that the server accepts. */
  attributes(name: string, title?: string): Attributes;
  /** The entry as another client sees it: the values of its title, undefined where there is no entry. */
  titles(name: string): Promise<readonly string[] | undefined>;
  close(): Promise<void>;

  /** What cannot be shown, and why, in words: the cases that need it are left out, and say so. */
  readonly without?: Partial<Readonly<Record<Need, string>>>;
  /** Names and values that are refused (`rejected`), and why; whatever else is hard must be taken to the letter. */
  readonly refused?: ReadonlyMap<string, string>;
  /** Texts that no message may show: passwords of the target's configuration. */
  readonly secrets?: readonly string[];

  /** Brings about that the target fails in a way of this kind. */
  readonly bring?: Partial<Readonly<Record<TargetErrorKind, () => Promise<Trouble>>>>;
  /** The server makes the next change, but its answer is lost. */
  loseAnswer?(): Promise<Trouble>;
  /** The server takes what it is sent, and never answers. */
  hang?(): Promise<Trouble>;

  /** An attribute that takes several texts and one that takes bytes; `attributes` fills neither. */
  readonly several?: string;
  readonly bytes?: string;
  /** The values of an attribute as another client sees them; undefined where there is no entry. Order does not matter. */
  values?(name: string, attribute: string): Promise<readonly Value[] | undefined>;
  /** Whether a password of an entry is right, as another client sees it. */
  login?(name: string, password: string): Promise<boolean>;
  readonly references?: References;
}

/** Entries that refer to others, as a group does to its members. */
export interface References {
  readonly entity: string;
  /** Where the members stand, entries of the bench's `entity`. */
  readonly attribute: string;
  /** What stands there of each. Default: its remote id. */
  readonly by?: 'stable id';
  id(name: string): string;
  /** Attributes of an entry that is to have members, but for these. */
  attributes(name: string): Attributes;
  /** The members as another client sees them. Order does not matter; undefined where there is no entry. */
  members(name: string): Promise<readonly string[] | undefined>;
}

/** Something that is wrong with a server until it is over. */
export interface Trouble {
  /** What fails of it. Left out: to create an entry. */
  attempt?(signal: AbortSignal): Promise<unknown>;
  /** Puts everything right again. */
  over?(): Promise<void>;
}

/**
 * What a case needs of a bench or its target. A kind of failure: that it can be brought about; `stable id`: that changes go
 * to the entry with that id, whoever has its name.
 */
export type Need =
  | TargetErrorKind
  | 'read'
  | 'find'
  | 'scan'
  | 'setPassword'
  | 'rename'
  | 'stable id'
  | 'several'
  | 'bytes'
  | 'references'
  | 'loseAnswer'
  | 'hang';

/** Why a bench cannot show what is needed; undefined: it can. */
export function lacking(bench: Bench, need: Need): string | undefined {
  const { target, without = {} } = bench;
  const said = without[need];
  if (said !== undefined) return said;
  switch (need) {
    case 'rename':
    case 'stable id':
    case 'exists': // the suite brings about these two itself
    case 'gone':
      return undefined;
    case 'read':
    case 'find':
    case 'scan':
      return target[need] ? undefined : `the target has no \`${need}\``;
    case 'setPassword':
      return !target.setPassword ? 'the target takes no passwords' : offered(bench.login, 'login');
    case 'several':
    case 'bytes':
      return offered(bench[need], need) ?? offered(bench.values, 'values');
    case 'references':
    case 'loseAnswer':
    case 'hang':
      return offered(bench[need], need);
    default:
      return offered(bench.bring?.[need], `bring.${need}`);
  }
}

function offered(given: unknown, name: string): string | undefined {
  return given === undefined ? `the bench has no \`${name}\`, and does not say why` : undefined;
}
