/** Plays the part of the engine: sends changes as it would, and remembers what it wrote. */
import type { Applied, AttributeChange, Attributes, Change, RemoteState, Value, Whole } from '../targets/target.ts';
import type { Bench } from './bench.ts';

/** An entry as the engine knows it. */
export interface Entry {
  readonly name: string;
  readonly remoteId: string;
  readonly stableId?: string;
  readonly attributes: Attributes;
}

/** A signal that ends nothing which goes well. */
export function patience(): AbortSignal {
  return AbortSignal.timeout(20_000);
}

/** How an entry is addressed. */
export function address({ remoteId, stableId }: Pick<Entry, 'remoteId' | 'stableId'>) {
  return stableId === undefined ? { remoteId } : { remoteId, stableId };
}

/** Sends a change, and has it published where the target collects changes. */
export async function send({ target }: Bench, change: Change, whole: Whole, signal = patience()): Promise<Applied> {
  const applied = await target.apply(change, signal, ...(target.whole ? [whole] : []));
  await target.flush?.(signal);
  return applied;
}

/** Creates an entry of that name. */
export async function create(
  bench: Bench,
  name: string,
  title?: string,
  { more = {}, signal }: { more?: Attributes; signal?: AbortSignal } = {},
): Promise<Entry> {
  const attributes = { ...bench.attributes(name, title), ...more };
  const { entity } = bench;
  const change = { operation: 'create', entity, remoteId: bench.id(name), attributes } as const;
  return { name, attributes, ...address(await send(bench, change, { desired: attributes, written: {} }, signal)) };
}

/** Makes changes of an entry; `to`: its new name. */
export async function update(
  bench: Bench,
  entry: Entry,
  changes: readonly AttributeChange[],
  { to, signal }: { to?: string; signal?: AbortSignal } = {},
): Promise<Entry> {
  const renameTo = to === undefined ? {} : { renameTo: bench.id(to) };
  const change = { operation: 'update', entity: bench.entity, ...address(entry), ...renameTo, changes } as const;
  const attributes = changes.reduce(changed, entry.attributes);
  const applied = await send(bench, change, { desired: attributes, written: entry.attributes }, signal);
  return { ...entry, name: to ?? entry.name, attributes, ...address(applied) };
}

/** Removes an entry. */
export function remove(bench: Bench, entry: Entry, signal?: AbortSignal): Promise<Applied> {
  const change = { operation: 'remove', entity: bench.entity, ...address(entry) } as const;
  return send(bench, change, { desired: undefined, written: entry.attributes }, signal);
}

/** Another title; none: it has none any more. */
export function titled(bench: Bench, ...values: readonly string[]): AttributeChange[] {
  return [{ attribute: bench.title, action: 'replace', values }];
}

/** The live entry with its title, and further attributes. */
export async function read(
  { target, title }: Bench,
  entry: Pick<Entry, 'remoteId' | 'stableId'>,
  ...more: string[]
): Promise<RemoteState | undefined> {
  return await target.read?.(address(entry), [title, ...more], patience());
}

function changed(attributes: Attributes, { attribute, action, values }: AttributeChange): Attributes {
  const { [attribute]: before = [], ...others } = attributes;
  const text = (value: Value) => JSON.stringify(value);
  const given = new Set(values.map(text));
  const left = before.filter((value) => !given.has(text(value)));
  const next = action === 'replace' ? values : action === 'add' ? [...left, ...values] : left;
  return next.length === 0 ? others : { ...others, [attribute]: next };
}
