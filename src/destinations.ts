import type { LoadedConfig } from './config/load.ts';
import { policiesOf, referenceForm, referencesOf, uniquesOf } from './config/policies.ts';
import { ConfigError } from './config/problem.ts';
import type { Config, MappingConfig, TargetConfig } from './config/schema.ts';
import { stepsOf } from './config/steps.ts';
import type { Queryable } from './database/transaction.ts';
import type { Mapping } from './deliver/plan.ts';
import type { Destination, Neighbour, Route } from './deliver/route.ts';
import { createHooks, type Runners } from './hooks/hooks.ts';
import { createLog, type Log } from './log.ts';
import { createOpener } from './passwords/open.ts';
import { createTarget } from './targets/registry.ts';
import { type Target, TargetError } from './targets/target.ts';

/** Connects the configuration with the database's key types: what pumps need of every target. */
export async function openDestinations(
  database: Queryable,
  loaded: LoadedConfig,
  log: Log = createLog(),
): Promise<Map<string, Destination>> {
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
  const targets = await openTargets(loaded, log);
  return new Map(
    configured.flatMap(([name, config]) => {
      const followers = configured.flatMap(([other, { after }]) => (after.includes(name) ? [other] : []));
      const target = targets.get(name);
      if (!target) return [];
      const merged = target.merged ?? [];
      const routes = Object.entries(config.entities).flatMap(([entity, mapping]): [string, Route][] => {
        const keyType = types.get(`${name} ${entity}`);
        if (!keyType) return [];
        const order = { before: neighbours(entity, config.after), behind: neighbours(entity, followers) };
        return [[entity, { ...createRoute(name, entity, keyType, config, mapping, merged), ...order }]];
      });
      const { concurrency, timeout, batch } = config;
      const destination = {
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
      };
      return [[name, destination] as const];
    }),
  );
}

/** Opens every target. Throws ConfigError where one is a module that cannot be used, with its place in the file. */
async function openTargets(loaded: LoadedConfig, log: Log): Promise<Map<string, Target>> {
  const targets = new Map<string, Target>();
  try {
    for (const [name, config] of Object.entries(loaded.config.targets))
      targets.set(name, await createTarget(config, { name, folder: loaded.folder, log }).catch(place(loaded, name)));
    return targets;
  } catch (error) {
    await Promise.all([...targets.values()].map((target) => target.close()));
    throw error;
  }
}

function place(loaded: LoadedConfig, name: string) {
  return (error: unknown): never => {
    if (!(error instanceof TargetError)) throw error;
    throw new ConfigError([loaded.place({ path: ['targets', name, 'type'], message: error.message })]);
  };
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
