import { disabledIdOf, remoteIdOf } from '../config/remote-id.ts';
import type { AttributeConfig, Config, MappingConfig, TargetConfig } from '../config/schema.ts';
import { parseTemplate, type Template } from '../config/template.ts';
import type { Column, View } from './column.ts';

/** An entity as a target sees it. */
export interface Mapping {
  readonly target: string;
  readonly entity: string;
  readonly type: TargetConfig['type'];
  /** Where it stands in the configuration. */
  readonly path: readonly string[];
  /** The view it reads, as the configuration writes it, and where that is written. */
  readonly view: string;
  readonly viewPath: readonly string[];
  /** The key column of the view. */
  readonly key: string;
  readonly config: MappingConfig;
}

/** Every mapping of a configuration. */
export function mappingsOf(config: Config): Mapping[] {
  return Object.entries(config.targets).flatMap(([target, { type, entities }]) =>
    Object.entries(entities).flatMap(([entity, mapping]): Mapping[] => {
      const known = config.entities[entity];
      if (!known) return []; // a mistake that loading the configuration reports
      const path = ['targets', target, 'entities', entity];
      return [
        {
          target,
          entity,
          type,
          path,
          view: mapping.view ?? known.view,
          viewPath: mapping.view === undefined ? ['entities', entity, 'view'] : [...path, 'view'],
          key: known.key,
          config: mapping,
        },
      ];
    }),
  );
}

/** Name of the view (in schema `staffetta`) that says what a target should hold for an entity. */
export function desiredName({ target, entity }: Pick<Mapping, 'target' | 'entity'>): string {
  return `desired_${target}_${entity}`;
}

/** The attributes of a mapping by name; without `attributes:`, every column of the view under its own name. */
export function attributesOf({ config }: Mapping, view: View): [name: string, AttributeConfig][] {
  if (config.attributes) return Object.entries(config.attributes);
  return [...view.columns.keys()].map((name) => [
    name,
    { kind: 'column', from: name, secret: false, unique: false, policy: 'replace' },
  ]);
}

/** A template of the mapping, with where it stands and what it is for. */
export interface Use {
  readonly path: readonly string[];
  readonly template: Template;
  /** What it makes is kept in the open: a link, a journal row, a message. */
  readonly open: boolean;
}

/** Every template of a mapping. */
export function templatesOf({ config, path }: Mapping): Use[] {
  const use = (text: string, open: boolean, ...place: string[]): Use => ({
    path: [...path, ...place],
    template: parseTemplate(text),
    open,
  });
  const remoteId = remoteIdOf(config);
  const disabledId = disabledIdOf(config);
  return [
    use(remoteId.template, true, remoteId.key),
    ...(disabledId ? [use(disabledId.template, true, 'disable', disabledId.key)] : []),
    ...Object.entries(config.disable?.attributes ?? {}).map(([name, text]) =>
      use(text, true, 'disable', 'attributes', name),
    ),
    ...Object.entries(config.attributes ?? {}).flatMap(([name, attribute]) =>
      attribute.kind === 'template' ? [use(attribute.template, false, 'attributes', name)] : [],
    ),
  ];
}

/** The columns whose values are secret: those that a secret attribute is made of. */
export function secretColumns({ config }: Mapping): Set<string> {
  const columns = Object.values(config.attributes ?? {}).flatMap((attribute) => {
    if (attribute.kind === 'column' && attribute.secret) return [attribute.from];
    if (attribute.kind !== 'template' || !attribute.secret) return [];
    return parseTemplate(attribute.template).parts.flatMap((part) => (typeof part === 'string' ? [] : [part.column]));
  });
  return new Set(columns);
}

/** A column of a view in which `checkMappings` found it. */
export function columnOf(view: View, name: string): Column {
  const column = view.columns.get(name);
  if (!column) throw new Error(`view ${view.sql} has no column "${name}"`);
  return column;
}
