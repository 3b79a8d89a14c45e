import type pg from 'pg';
import { removeKeys, removeScope } from '../capture/keys.ts';
import { removeCapture } from '../capture/trigger.ts';
import type { Generated } from '../database/generated.ts';
import { removeDesired } from '../desired/compile.ts';
import { hashOfObject, objectKey } from './generate.ts';

/** How an object of each kind is removed, knowing no more than its name. */
const removals: Readonly<Record<Generated['kind'], (name: string) => readonly string[]>> = {
  capture: removeCapture,
  keys: removeKeys,
  scope: removeScope,
  desired: removeDesired,
};

/** Makes the objects that are new or changed. Answers with these. */
export async function makeObjects<T extends Generated>(
  client: pg.ClientBase,
  before: ReadonlyMap<string, string>,
  objects: readonly T[],
): Promise<T[]> {
  const changed = objects.filter((object) => before.get(objectKey(object.kind, object.name)) !== hashOfObject(object));
  for (const object of changed) {
    for (const statement of object.make) await client.query(statement);
    await remember(client, object.kind, object.name, hashOfObject(object));
  }
  return changed;
}

/** Objects of these kinds that were made once and are not among the wanted ones. */
export function staleObjects(
  before: ReadonlyMap<string, string>,
  kinds: readonly Generated['kind'][],
  wanted: readonly Generated[],
): { kind: Generated['kind']; name: string; remove: readonly string[] }[] {
  const kept = new Set(wanted.map(({ kind, name }) => objectKey(kind, name)));
  return kinds.flatMap((kind) =>
    [...before.keys()]
      .filter((key) => key.startsWith(objectKey(kind, '')) && !kept.has(key))
      .map((key) => key.slice(objectKey(kind, '').length))
      .map((name) => ({ kind, name, remove: removals[kind](name) })),
  );
}

/** Removes what is no longer wanted. */
export async function removeObjects(client: pg.ClientBase, stale: ReturnType<typeof staleObjects>): Promise<void> {
  for (const { kind, name, remove } of stale) {
    for (const statement of remove) await client.query(statement);
    await client.query('delete from staffetta.generated where kind = $1 and name = $2', [kind, name]);
  }
}

/** Notes what an object was made of, so that the next `apply` finds it unchanged. */
export async function remember(client: pg.ClientBase, kind: string, name: string, hash: string): Promise<void> {
  await client.query(
    `insert into staffetta.generated (kind, name, hash) values ($1, $2, $3) on conflict (kind, name) do update set hash = excluded.hash`,
    [kind, name, hash],
  );
}
