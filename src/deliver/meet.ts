import type { Queryable } from '../database/transaction.ts';
import { TargetError } from '../targets/target.ts';
import type { Claim } from './claim.ts';
import type { Destination } from './route.ts';

/**
 * Has the target refuse any other installation than the one that its links belong to (PROTOCOL C5). The first one that
 * answers is that one, until an administrator accepts another.
 */
export async function meet(database: Queryable, destination: Destination, claim: Claim): Promise<void> {
  const { name, target, timeout } = destination;
  target.expect?.(claim.identity ?? undefined);
  if (!claim.admitted && claim.mode === 'live') await admit(database, destination);
  if (claim.identity !== null || !target.expect) return;
  const identity = await askIdentity(target, timeout);
  if (identity === undefined) return;
  const { rows } = await database.query<{ identity: string }>(
    'update staffetta.target set identity = coalesce(identity, $2) where target = $1 returning identity',
    [name, identity],
  );
  target.expect(rows[0]?.identity);
}

/** Undefined where it works, but does not tell us: then it cannot be told from another. */
async function askIdentity(target: Destination['target'], timeout: number): Promise<string | undefined> {
  try {
    return (await target.ping(AbortSignal.timeout(timeout))).identity;
  } catch (error) {
    if (error instanceof TargetError && error.kind !== 'unavailable' && error.kind !== 'misconfigured')
      return undefined;
    throw error;
  }
}

/** Throws `misconfigured` where the server holds entries already: whose they are is for a person to say. */
async function admit(database: Queryable, { name, target, routes, timeout }: Destination): Promise<void> {
  for (const entity of target.scan ? routes.keys() : []) {
    const entry = await first(target.scan?.(entity, [], AbortSignal.timeout(timeout)));
    if (!entry) continue;
    throw new TargetError(
      'misconfigured',
      `the target is new and holds entries of ${entity} already, such as ${entry.remoteId}: run \`staffetta adopt ${name}\` to see whose they are, and with --yes to link them (or with --i-know to begin without)`,
    );
  }
  await database.query('update staffetta.target set admitted = true where target = $1', [name]);
}

async function first<T>(items: AsyncIterable<T> | undefined): Promise<T | undefined> {
  for await (const item of items ?? []) return item;
  return undefined;
}
