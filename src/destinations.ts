import type { LoadedConfig } from './config/load.ts';
import type { Config, MappingConfig, TargetConfig } from './config/schema.ts';
import type { Queryable } from './database/transaction.ts';
import type { Mapping } from './deliver/plan.ts';
import type { Destination, Route } from './deliver/route.ts';
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
  return new Map(
    Object.entries(loaded.config.targets).map(([name, config]) => {
      const target = createTarget(name, config, loaded.folder);
      const merged = new Set(target.merged ?? []);
      const routes = Object.entries(config.entities).flatMap(([entity, mapping]): [string, Route][] => {
        const keyType = types.get(`${name} ${entity}`);
        return keyType ? [[entity, createRoute(name, entity, keyType, config, mapping, merged)]] : [];
      });
      const { concurrency, timeout, batch } = config;
      return [
        name,
        { name, target, routes: new Map(routes), referred: referredIn(config), concurrency, timeout, batch, secret },
      ];
    }),
  );
}

function createRoute(
  target: string,
  entity: string,
  keyType: string,
  config: TargetConfig,
  mapping: MappingConfig,
  merged: ReadonlySet<string>,
): Route {
  const attributes = Object.entries(mapping.attributes ?? {});
  const references = attributes.flatMap(([name, attribute]) =>
    attribute.kind === 'reference'
      ? [[name, { refEntity: attribute.ref, placeholder: config.placeholder }] as const]
      : [],
  );
  const own = attributes.filter(([, attribute]) => attribute.kind !== 'reference');
  const [step] = mapping.deprovision;
  const plan: Mapping = {
    entity,
    attributes: mapping.attributes && new Set(own.map(([name]) => name)),
    secret: new Set(
      own.flatMap(([name, attribute]) => (attribute.kind !== 'reference' && attribute.secret ? [name] : [])),
    ),
    merged,
    references: new Map(references),
    deprovision: step?.do ?? 'keep',
    removeAfter: mapping.removeAfter / 1000,
  };
  return {
    target,
    entity,
    keyType,
    mapping: plan,
    references: new Map(references.map(([name, { refEntity }]) => [name, refEntity])),
    matches: mapping.match !== undefined,
  };
}

function referredIn({ entities }: Config['targets'][string]): string[] {
  const referred = Object.values(entities).flatMap(({ attributes }) =>
    Object.values(attributes ?? {}).flatMap((attribute) => (attribute.kind === 'reference' ? [attribute.ref] : [])),
  );
  return [...new Set(referred)];
}
