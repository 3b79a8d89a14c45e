import type pg from 'pg';
import type { ScriptConfig } from '../config/script.ts';
import { load } from '../deliver/load.ts';
import { wholeOf } from '../deliver/whole.ts';
import { lifecycleRequest, masked, ping, type Request, request } from '../targets/script/request.ts';
import { TargetError } from '../targets/target.ts';
import { canonicalKeys } from './journal.ts';
import { asked } from './live-entry.ts';
import { UserError } from './user-error.ts';

/** The actions that a request can be made for by hand. */
export const requestable = [
  'IDENTITY_UPDATE',
  'IDENTITY_CREATE',
  'IDENTITY_DELETE',
  'IDENTITY_ENABLE',
  'IDENTITY_DISABLE',
  'IDENTITY_LIFECYCLE_CHANGED',
  'PING_TARGET',
] as const;

/** What is asked for, of whom. */
export interface Wanted {
  readonly target: string;
  readonly config: ScriptConfig;
  readonly entity: string;
  readonly key: string;
  readonly action: (typeof requestable)[number];
  /** Put asterisks in the place of what is secret. */
  readonly mask: boolean;
}

/**
 * What a script would be told of an identity at this moment, read as the daemon reads it: of one that has left the view,
 * what was last written. Throws UserError where there is nothing to tell.
 */
export async function readRequest(
  pool: pg.Pool,
  { target, config, entity, key, action, mask }: Wanted,
): Promise<Request> {
  if (action === 'PING_TARGET') return ping;
  const mapping = config.entities[entity];
  if (!mapping) {
    const entities = Object.keys(config.entities).join(', ') || 'none';
    throw new UserError(`Target ${target} has no entity "${entity}". It has: ${entities}.`, 2);
  }
  const [canonical = key] = await canonicalKeys(pool, entity, key);
  const types = await pool.query<{ type: string }>('select type from staffetta.key_type($1, $2)', [target, entity]);
  const { loaded, unloadable } = await load(pool, target, entity, types.rows[0]?.type ?? 'text', [
    asked(entity, canonical),
  ]);
  const [known] = loaded;
  if (!known) throw new UserError(`The desired state of ${entity} ${key} cannot be read: ${unloadable[0]?.reason}.`);
  const whole = wholeOf(known);
  const desired = whole.desired && (mask ? masked(mapping, whole.desired) : whole.desired);
  const formerId = known.link?.remoteId;
  const id = known.desired?.remoteId ?? formerId;
  const isSync =
    action === 'IDENTITY_UPDATE' || action === 'IDENTITY_CREATE' || action === 'IDENTITY_LIFECYCLE_CHANGED';
  if (id === undefined)
    throw new UserError(`Nothing is known of ${entity} ${key}: it is neither in the view nor on ${target}.`);
  if (isSync && !desired) throw new UserError(`${entity} ${key} is not in the view, so there is no ${action} for it.`);
  try {
    if (action === 'IDENTITY_LIFECYCLE_CHANGED' && desired)
      return lifecycleRequest([formerId ?? id, id], mapping, whole.written, desired);
    return request(action, id, mapping, desired ?? whole.written);
  } catch (error) {
    if (error instanceof TargetError) throw new UserError(`${entity} ${key}: ${error.message}.`);
    throw error;
  }
}
