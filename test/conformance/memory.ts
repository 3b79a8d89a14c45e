/** A target in memory that does everything right, or one thing wrong: for trying whether the suite finds it out. */
import { randomUUID } from 'node:crypto';
import type { Bench } from '../../src/conformance/conformance.ts';
import {
  type Attributes,
  type Change,
  type RemoteState,
  type Target,
  TargetError,
  type Value,
} from '../../src/targets/target.ts';

/** What a target may do wrong. */
export const faults = [
  'is another one with each ping',
  'heeds no signal',
  'waits for ever',
  'creates over what is there',
  'creates what is to be changed',
  'renames over what is there',
  'forgets changes when it renames',
  'fails to remove what is gone',
  'removes by name',
  'changes by name',
  'reads everything',
  'reads by name',
  'sees half',
  'sees twice',
  'finds with one condition',
  'finds one of many',
  'takes every trouble for unknown',
  'tells secrets',
  'is sure of what was lost',
  'trims names',
  'knows no case',
  'cuts names at NUL',
  'trims values',
  'cuts long values',
  'takes bytes for text',
  'deletes all values',
  'takes 100 members',
  'keeps old passwords',
  'compares in order',
  'steps aside to one name',
  'has forms of forms',
] as const;

export type Fault = (typeof faults)[number];

interface Held {
  readonly entity: string;
  readonly stableId: string;
  readonly attributes: Attributes;
  readonly password?: string;
}

const key = (values: readonly Value[] = []) => JSON.stringify(values.map((value) => JSON.stringify(value)).sort());

export function createMemory(fault?: Fault): Bench {
  const store = new Map<string, Held>();
  let trouble: 'away' | 'lost' | 'hang' | undefined;
  const has = (one: Fault) => fault === one;
  const place = (id: string): string => {
    if (has('cuts names at NUL')) return id.split('\0')[0] ?? id;
    if (has('knows no case')) return id.toLowerCase();
    return has('trims names') ? id.trim() : id;
  };
  const where = ({ remoteId, stableId }: { remoteId: string; stableId?: string }, byName: boolean) => {
    if (stableId === undefined || byName) return place(remoteId);
    return [...store].find(([, held]) => held.stableId === stableId)?.[0];
  };
  const fixed = (attributes: Attributes): Attributes => {
    const text = (value: string) =>
      has('trims values') ? value.trim() : has('cuts long values') ? value.slice(0, 65_536) : value;
    const value = (given: Value): Value =>
      typeof given === 'string'
        ? text(given)
        : has('takes bytes for text')
          ? Buffer.from(given.base64, 'base64').toString()
          : given;
    const limited = (values: readonly Value[]) => (has('takes 100 members') ? values.slice(0, 100) : values).map(value);
    return Object.fromEntries(Object.entries(attributes).map(([name, values]) => [name, limited(values)]));
  };
  const stateOf = (id: string, { stableId, attributes }: Held, wanted: readonly string[]): RemoteState => {
    const names = Object.keys(attributes).filter((name) => has('reads everything') || wanted.includes(name));
    return {
      remoteId: id,
      stableId,
      attributes: Object.fromEntries(names.map((name) => [name, attributes[name] ?? []])),
    };
  };
  const enter = async (signal: AbortSignal, changes = false) => {
    if (signal.aborted && !has('heeds no signal')) throw new TargetError('unavailable', 'given up');
    const secret = has('tells secrets') ? ' as admin with hunter2' : '';
    if (trouble === 'away')
      throw new TargetError(has('takes every trouble for unknown') ? 'unknown' : 'unavailable', `it is away${secret}`);
    if (trouble !== 'hang') return;
    await new Promise((resolve) => {
      if (has('waits for ever')) setTimeout(resolve, 6000);
      else signal.addEventListener('abort', resolve);
    });
    throw new TargetError('unavailable', 'it did not answer', { unsure: changes });
  };
  const leave = () => {
    if (trouble === 'lost')
      throw new TargetError('unavailable', 'the answer was lost', { unsure: !has('is sure of what was lost') });
  };
  const change = (given: Change) => {
    const { entity, remoteId } = given;
    const at = place(remoteId);
    if (given.operation === 'create') {
      if (store.has(at) && !has('creates over what is there')) throw new TargetError('exists', 'it is there');
      const held = { entity, stableId: randomUUID(), attributes: fixed(given.attributes) };
      store.set(at, held);
      return { remoteId, stableId: held.stableId };
    }
    const found = where(given, has(given.operation === 'remove' ? 'removes by name' : 'changes by name'));
    const held = found === undefined ? undefined : store.get(found);
    if (given.operation === 'remove') {
      if (!held && has('fails to remove what is gone')) throw new TargetError('gone', 'it is gone');
      if (found !== undefined) store.delete(found);
      return { remoteId };
    }
    if (found === undefined || !held) {
      if (!has('creates what is to be changed')) throw new TargetError('gone', 'it is gone');
      store.set(at, { entity, stableId: randomUUID(), attributes: {} });
      return { remoteId };
    }
    const { renameTo } = given;
    const to = renameTo === undefined ? found : place(renameTo);
    if (to !== found && store.has(to) && !has('renames over what is there'))
      throw new TargetError('exists', 'it is taken');
    const changes = renameTo !== undefined && has('forgets changes when it renames') ? [] : given.changes;
    const attributes = changes.reduce((before, { attribute, action, values }) => {
      const { [attribute]: old = [], ...rest } = before;
      const others = old.filter((value) => !values.some((one) => key([one]) === key([value])));
      const left = action === 'delete' && has('deletes all values') ? [] : others;
      const next = action === 'replace' ? values : action === 'add' ? [...others, ...values] : left;
      return next.length === 0 ? rest : { ...rest, [attribute]: next };
    }, held.attributes);
    store.delete(found);
    store.set(to, { ...held, attributes: fixed(attributes) });
    return { remoteId: renameTo ?? (found === at ? remoteId : found), stableId: held.stableId };
  };

  const target: Target = {
    async ping(signal) {
      await enter(signal);
      return { summary: 'memory', identity: has('is another one with each ping') ? randomUUID() : 'memory' };
    },
    async apply(given, signal) {
      await enter(signal, true);
      const applied = change(given);
      leave();
      return applied;
    },
    async setPassword(entry, { next }, signal) {
      await enter(signal, true);
      const found = where(entry, false);
      const held = found === undefined ? undefined : store.get(found);
      if (found === undefined || !held) throw new TargetError('gone', 'it is gone');
      if (!held.password || !has('keeps old passwords')) store.set(found, { ...held, password: next });
    },
    async read(entry, attributes, signal) {
      await enter(signal);
      const found = where(entry, has('reads by name')) ?? place(entry.remoteId);
      const held = store.get(found);
      return held && stateOf(found, held, attributes);
    },
    async find(matches, attributes, signal) {
      await enter(signal);
      const fits = ({ attributes: own }: Held, conditions: readonly [string, Value][]) =>
        conditions.every(([name, value]) => own[name]?.some((one) => key([one]) === key([value])));
      return new Map(
        matches.flatMap(({ key: asked, where: all }) => {
          const conditions = Object.entries(all).slice(0, has('finds with one condition') ? 1 : undefined);
          const found = [...store].filter(([, held]) => fits(held, conditions));
          const states = found.map(([id, held]) => stateOf(id, held, attributes));
          return states.length === 0 ? [] : [[asked, has('finds one of many') ? states.slice(0, 1) : states] as const];
        }),
      );
    },
    async *scan(entity, attributes, signal) {
      await enter(signal);
      const all = [...store].filter(([, held]) => held.entity === entity);
      const seen = has('sees half') ? all.slice(0, 100) : has('sees twice') ? [...all, ...all.slice(0, 1)] : all;
      for (const [id, held] of seen) yield stateOf(id, held, attributes);
    },
    normalise: (id) => (has('has forms of forms') ? `${id}.` : id),
    same: (_, left, right) =>
      has('compares in order')
        ? JSON.stringify(left) === JSON.stringify(right)
        : key([...new Set(left)]) === key([...new Set(right)]),
    aside: (id, who) => `${id}~${has('steps aside to one name') ? '' : who}`,
    close: async () => {},
  };

  const bring = (what: typeof trouble) => async () => {
    trouble = what;
    return {
      over: async () => {
        trouble = undefined;
      },
    };
  };
  const attributes = (name: string, title = 'first') => ({ name: [`n-${name}`], title: [title] });
  return {
    target,
    entity: 'person',
    title: 'title',
    unique: 'name',
    id: (name) => name,
    attributes,
    titles: async (name) => {
      const held = store.get(name);
      return held && (held.attributes.title ?? []).map((value) => (typeof value === 'string' ? value : value.base64));
    },
    several: 'mail',
    bytes: 'photo',
    values: async (name, attribute) => {
      const held = store.get(name);
      return held && (held.attributes[attribute] ?? []);
    },
    references: {
      entity: 'group',
      attribute: 'member',
      id: (name) => `group ${name}`,
      attributes: () => ({}),
      members: async (name) => store.get(`group ${name}`)?.attributes.member?.map(String),
    },
    login: async (name, password) => store.get(name)?.password === password,
    secrets: ['hunter2'],
    bring: { unavailable: bring('away') },
    loseAnswer: bring('lost'),
    hang: bring('hang'),
    close: async () => {},
  };
}
