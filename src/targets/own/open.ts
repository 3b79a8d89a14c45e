/** Opens a target of the administrator's own: its module is loaded, asked for a target, and what it gives is looked at. */
import type { OwnConfig } from '../../config/own.ts';
import { readSecret, SecretError } from '../../config/secret.ts';
import type { Surroundings } from '../registry.ts';
import { type Target, TargetError } from '../target.ts';
import type { EntityOfTarget, OwnTarget, TargetContext } from './contract.ts';
import { loadModule, words, wrong } from './module.ts';
import { shield } from './shield.ts';

/** Throws TargetError `misconfigured`, in words, where the module cannot be used for this configuration. */
export async function openOwnTarget(config: OwnConfig, place: Surroundings): Promise<Target> {
  const create = await loadModule(config.module, place.folder);
  let made: unknown;
  try {
    made = await create(config.options, contextOf(config, place));
  } catch (error) {
    throw wrong(config.module, `it threw: ${words(error)}`);
  }
  if (!isTarget(made)) throw wrong(config.module, faultOf(made));
  const lacking = lackingIn(config, made);
  if (lacking !== undefined) {
    await made.close?.();
    throw wrong(config.module, lacking);
  }
  return shield(made, config, place.log);
}

function contextOf({ secrets, entities }: OwnConfig, { name, folder, log }: Surroundings): TargetContext {
  const line = (level: keyof TargetContext['log']) => (message: string) => log[level]({ target: name }, message);
  return {
    TargetError,
    name,
    folder,
    entities: Object.fromEntries(Object.entries(entities).map(([entity, mapping]) => [entity, entityOf(mapping)])),
    secret: (wanted) => {
      const given = secrets[wanted];
      if (given === undefined)
        throw new TargetError('misconfigured', `staffetta.yml gives no secret "${wanted}" under secrets:`);
      try {
        return readSecret(given);
      } catch (error) {
        if (error instanceof SecretError) throw new TargetError('misconfigured', error.message);
        throw error;
      }
    },
    log: { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') },
  };
}

function entityOf({ id, attributes }: OwnConfig['entities'][string]): EntityOfTarget {
  if (attributes === undefined) return { id, attributes };
  const told = Object.entries(attributes).map(([name, attribute]) => {
    if (attribute.kind === 'reference') return [name, { secret: false, ref: attribute.ref }] as const;
    return [name, { secret: attribute.secret }] as const;
  });
  return { id, attributes: Object.fromEntries(told) };
}

/** The methods, those that must be there first. */
const required = ['ping', 'apply'] as const;
const optional = [
  'mistakes',
  'expect',
  'setPassword',
  'normalise',
  'same',
  'aside',
  'find',
  'read',
  'scan',
  'base',
  'search',
  'flush',
  'normaliseReference',
  'close',
] as const;

function isTarget(made: unknown): made is OwnTarget {
  return faultOf(made) === '';
}

/** What keeps something from being a target; empty: nothing. */
function faultOf(made: unknown): string {
  if (typeof made !== 'object' || made === null)
    return `it gave ${made === null ? 'null' : typeof made}; expected a target, an object`;
  const kindOf = (method: string): string => typeof Reflect.get(made, method);
  const lacking = required.filter((method) => kindOf(method) !== 'function');
  if (lacking.length > 0)
    return `the target that it gave lacks ${lacking.map((method) => `${method}()`).join(' and ')}`;
  const odd = optional.find((method) => !['function', 'undefined'].includes(kindOf(method)));
  return odd === undefined ? '' : `${odd} of the target that it gave is ${kindOf(odd)}, expected a function`;
}

/** What staffetta.yml asks of the target, and it cannot do. */
function lackingIn({ entities }: OwnConfig, target: OwnTarget): string | undefined {
  for (const [entity, { match, password }] of Object.entries(entities)) {
    if (match && !target.find) return `entity ${entity} has match:, but the target that it gave has no find()`;
    if (password && !target.setPassword)
      return `entity ${entity} has password:, but the target that it gave has no setPassword()`;
  }
  return undefined;
}
