/** A module's target as the engine uses it: every method guarded, what was left out put in. */
import type { OwnConfig } from '../../config/own.ts';
import type { Log } from '../../log.ts';
import { mask, oneLine } from '../../programs/output.ts';
import type { Match, Password, RemoteState, Target, Whole } from '../target.ts';
import { TargetError } from '../target.ts';
import { answers } from './answers.ts';
import type { OwnTarget } from './contract.ts';
import { defaults } from './defaults.ts';
import { guarded, translated } from './guard.ts';
import { words } from './module.ts';
import { secretsIn, secretsOf, textOf } from './secrets.ts';

/** The methods that a target has or has not, and the engine looks which. */
type Optional = Partial<
  Pick<Target, 'mistakes' | 'expect' | 'setPassword' | 'find' | 'read' | 'scan' | 'base' | 'search' | 'flush'>
>;

/** How one method of the module is called: guarded, in words of its own. */
type Ask = <T>(
  method: string,
  signal: AbortSignal,
  check: (answer: unknown) => T,
  work: () => unknown,
  about?: { readonly changes: true; readonly secrets: () => readonly string[] },
) => Promise<T>;

export function shield(own: OwnTarget, config: OwnConfig, log: Log): Target {
  const { module } = config;
  const secrets = () => secretsOf(config);
  const ask: Ask = (method, signal, check, work, about) => {
    const what = `${method} of ${module}`;
    const hidden = () => [...secrets(), ...(about?.secrets() ?? [])];
    return guarded({ what, changes: about !== undefined, signal, secrets: hidden, check }, work);
  };
  /** What must be answered at once, and by rules: where the module fails, by the rules that hold without it. */
  const rule = <T>(
    method: string,
    check: (answer: unknown) => T,
    work: () => unknown,
    otherwise: () => T,
    hidden: () => readonly string[] = () => [],
  ): T => {
    try {
      return check(work());
    } catch (error) {
      const reason = oneLine(mask(words(error), [...secrets(), ...hidden()]));
      log.error({ reason }, `${method} of ${module} failed; it is done as if it were left out`);
      return otherwise();
    }
  };
  /** What has no form is refused. */
  const form = (method: string, normalise: (value: string) => string) => (value: string) => {
    if (value.includes('\0')) throw new TargetError('rejected', 'an id with NUL in it cannot be kept');
    try {
      return answers.text(normalise.call(own, value));
    } catch (error) {
      const { message } = translated({ what: `${method} of ${module}`, changes: false, signal: never, secrets }, error);
      throw new TargetError('rejected', message);
    }
  };
  const normalise = form('normalise', own.normalise ?? defaults.normalise);
  return {
    ...(own.whole ? { whole: true as const } : {}),
    ...(own.merged ? { merged: [...own.merged] } : {}),
    ...optional(own, ask, config),
    ping: (signal) => ask('ping', signal, answers.health, () => own.ping(signal)),
    apply: async (change, signal, whole) => {
      normalise(change.remoteId);
      if (change.operation === 'update' && change.renameTo !== undefined) normalise(change.renameTo);
      const hidden = () => secretsIn(config, change.entity, change, whole);
      const about = { changes: true, secrets: hidden } as const;
      return await ask('apply', signal, answers.applied, () => own.apply(change, signal, whole), about);
    },
    normalise,
    ...(own.normaliseReference && { normaliseReference: form('normaliseReference', own.normaliseReference) }),
    same: (attribute, left, right) => {
      const otherwise = () => defaults.same(attribute, left, right);
      const work = () => own.same?.(attribute, left, right);
      return own.same
        ? rule('same', answers.truth, work, otherwise, () => [...left, ...right].map(textOf))
        : otherwise();
    },
    aside: (remoteId, key) => {
      const otherwise = () => defaults.aside(remoteId, key);
      return own.aside ? rule('aside', answers.text, () => own.aside?.(remoteId, key), otherwise) : otherwise();
    },
    close: () => {
      // A target that does not let go keeps nobody from stopping.
      const patience = AbortSignal.timeout(config.timeout);
      return ask('close', patience, answers.nothing, () => own.close?.()).catch((error: unknown) =>
        log.warn({ reason: words(error) }, `${module} was left as it is`),
      );
    },
  };
}

const never = new AbortController().signal;

function optional(own: OwnTarget, ask: Ask, config: OwnConfig): Optional {
  const patience = () => AbortSignal.timeout(config.timeout);
  const { mistakes, expect, setPassword, find, read, scan, base, search, flush } = own;
  return {
    ...(mistakes && { mistakes: () => ask('mistakes', patience(), answers.texts, () => own.mistakes?.()) }),
    ...(expect && { expect: (identity: string | undefined) => own.expect?.(identity) }),
    ...(setPassword && {
      setPassword: (entry: Addressed, password: Password, signal: AbortSignal, whole: Whole) => {
        const inside = () => secretsIn(config, entry.entity, undefined, whole);
        const hidden = () => [password.next, password.former ?? '', ...inside()];
        const work = () => own.setPassword?.(entry, password, signal, whole);
        return ask('setPassword', signal, answers.nothing, work, { changes: true, secrets: hidden });
      },
    }),
    ...(find && {
      find: (matches: readonly Match[], attributes: readonly string[], signal: AbortSignal) =>
        ask('find', signal, answers.found, () => own.find?.(matches, attributes, signal)),
    }),
    ...(read && {
      read: (entry: Addressed, attributes: readonly string[], signal: AbortSignal) =>
        ask('read', signal, answers.stateIfAny, () => own.read?.(entry, attributes, signal)),
    }),
    ...(scan && {
      scan: (entity: string, attributes: readonly string[], signal: AbortSignal) =>
        scanned(() => own.scan?.(entity, attributes, signal), ask, signal),
    }),
    ...(flush && {
      flush: (signal: AbortSignal) =>
        ask('flush', signal, answers.nothing, () => own.flush?.(signal), { changes: true, secrets: () => [] }),
    }),
    ...(base && { base: (signal: AbortSignal) => ask('base', signal, answers.text, () => own.base?.(signal)) }),
    ...(search && {
      search: (...given: Parameters<NonNullable<Target['search']>>) =>
        ask('search', given[2], answers.states, () => own.search?.(...given)),
    }),
  };
}

interface Addressed {
  readonly entity: string;
  readonly remoteId: string;
  readonly stableId?: string;
}

/** A scan of which each step is guarded. */
async function* scanned(
  begin: () => AsyncIterable<RemoteState> | undefined,
  ask: Ask,
  signal: AbortSignal,
): AsyncGenerator<RemoteState> {
  let steps: AsyncIterator<unknown> | undefined;
  const next = async () => {
    steps ??= begin()?.[Symbol.asyncIterator]();
    return await steps?.next();
  };
  try {
    for (;;) {
      const step = await ask('scan', signal, stepOf, next);
      if (step === undefined) {
        steps = undefined;
        return;
      }
      yield step;
    }
  } finally {
    // Whoever stops early, or was stopped, has the module stop as well; nobody waits for it.
    Promise.try(() => steps?.return?.()).catch(() => {});
  }
}

function stepOf(answer: unknown): RemoteState | undefined {
  if (typeof answer !== 'object' || answer === null) throw new Error('expected an async iterable');
  if (Reflect.get(answer, 'done') === true) return undefined;
  return answers.state(Reflect.get(answer, 'value'));
}
