import type { LoadedConfig } from './config/load.ts';
import { policiesOf, referenceForm, referencesOf, uniquesOf } from './config/policies.ts';
import type { Config, MappingConfig, TargetConfig } from './config/schema.ts';
import { stepsOf } from './config/steps.ts';
import type { Queryable } from './database/transaction.ts';
import type { Mapping } from './deliver/plan.ts';
import type { Destination, Neighbour, Route } from './deliver/route.ts';
import { createHooks, type Runners } from './hooks/hooks.ts';
import { createOpener } from './passwords/open.ts';
import { createTarget } from './targets/registry.ts';

/** Connects the configuration with the database's key types: what pumps need of every target. */
export async function openDestinations(database: Queryable, loaded: LoadedConfig): Promise<Map<string, Destination>> {
  const { rows } = await database.query<{ target: string; entity: string; type: string }>(
    'select r.target, r.entity, k.type from staffetta.route r cross join lateral staffetta.key_type(r.target, r.entity) k',
  );
  const types = new Map(rows.map(({ target, entity, type }) => [`${target} ${entity}`, type]));
  const secrets = await database.query<{ secret: Buffer }>('select secret from staffetta.installation');
  const secret = secrets.rows[0]?.secret;
  if (!secret) throw new Error('staffetta.installation is empty; it holds the secret of this installation');
  const neighbours = (entity: string, targets: readonly string[]): Neighbour[] =>
    targets.flatMap((target) => {
      const keyType = types.get(`${target} ${entity}`);
      return keyType ? [{ target, keyType }] : [];
    });
  const { passwords } = loaded.config;
  const open = passwords && createOpener(passwords.key);
  const runners: Runners = new Map();
  const configured = Object.entries(loaded.config.targets);
  return new Map(
    configured.map(([name, config]) => {
      const followers = configured.flatMap(([other, { after }]) => (after.includes(name) ? [other] : []));
      const target = createTarget(name, config, loaded.folder);
      const merged = target.merged ?? [];
      const routes = Object.entries(config.entities).flatMap(([entity, mapping]): [string, Route][] => {
        const keyType = types.get(`${name} ${entity}`);
        if (!keyType) return [];
        const order = { before: neighbours(entity, config.after), behind: neighbours(entity, followers) };
        return [[entity, { ...createRoute(name, entity, keyType, config, mapping, merged), ...order }]];
      });
      const { concurrency, timeout, batch } = config;
      return [
        name,
        {
          name,
          target,
          routes: new Map(routes),
          referred: referredIn(config),
          concurrency,
          timeout,
          batch,
          hooks: createHooks([...loaded.config.hooks, ...config.hooks], config, loaded.folder, runners),
          open,
          secret,
        },
      ];
    }),
  );
}

/** Gives up every connection, and ends every process of a hook. */
export async function closeDestinations(destinations: Iterable<Destination>): Promise<void> {
  await Promise.all([...destinations].flatMap(({ target, hooks }) => [target.close(), hooks?.close()]));
}

function createRoute(
  target: string,
  entity: string,
  keyType: string,
  config: TargetConfig,
  mapping: MappingConfig,
  merged: readonly string[],
): Omit<Route, 'before' | 'behind'> {
  const attributes = Object.entries(mapping.attributes ?? {});
  const references = referencesOf(mapping, config);
  const own = attributes.filter(([, attribute]) => attribute.kind !== 'reference');
  const plan: Mapping = {
    entity,
    attributes: mapping.attributes && new Set(own.map(([name]) => name)),
    secret: new Set(
      own.flatMap(([name, attribute]) => (attribute.kind !== 'reference' && attribute.secret ? [name] : [])),
    ),
    policies: new Map([...merged.map((name) => [name, 'merge'] as const), ...policiesOf(mapping)]),
    unique: new Set(uniquesOf(mapping)),
    references,
    passwords: mapping.password !== undefined,
    deprovision: stepsOf(mapping),
    removeAfter: mapping.removeAfter / 1000,
  };
  return {
    target,
    entity,
    keyType,
    mapping: plan,
    references: new Map([...references].map(([name, { refEntity }]) => [name, refEntity])),
    refersBy: referenceForm(config),
    matches: mapping.match !== undefined,
  };
}

function referredIn({ entities }: Config['targets'][string]): string[] {
  const mappings: MappingConfig[] = Object.values(entities);
  const referred = mappings.flatMap(({ attributes }) =>
    Object.values(attributes ?? {}).flatMap((attribute) => (attribute.kind === 'reference' ? [attribute.ref] : [])),
  );
  return [...new Set(referred)];
}
