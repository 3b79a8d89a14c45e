/** Where the values of an attribute of the mapping stand in a resource, and as what. */
import type { ScimForm } from '../../config/scim-attribute.ts';
import { isSameName, parseScimPath, type ScimPath } from '../../config/scim-path.ts';
import { TargetError } from '../target.ts';
import type { AttributeType } from './attribute-type.ts';

export interface Place {
  /** As the mapping calls it. */
  readonly name: string;
  /** Its schema is undefined where that is the resource's own. */
  readonly path: ScimPath;
  /** Whether the attribute holds a list. */
  readonly multiValued: boolean;
  /** The part of the attribute that the values are; undefined: they are the attribute itself. */
  readonly part: string | undefined;
  /** What each value is. */
  readonly type: Exclude<AttributeType['type'], 'complex'>;
  readonly caseExact: boolean;
}

/** What a service says of the attributes of a resource type; of the others, what the RFC says. */
export interface Types {
  /** The URN of the schema of the resource itself. */
  readonly schema: string;
  /** By URN of the schema, in lower case. */
  readonly bySchema: ReadonlyMap<string, readonly AttributeType[]>;
  /** Of schemas that the service does not describe. */
  readonly known: readonly AttributeType[];
}

/**
 * The place of an attribute. `as`: what the mapping says that it is. Throws `misconfigured` for an attribute that is made
 * of parts and of which none is named.
 */
export function placeOf(name: string, as: ScimForm, types: Types): Place {
  const path = within(parseScimPath(name), types);
  const attribute = typeOf(path, types);
  const parts = attribute?.parts ?? [];
  const isList = as === 'list' && path.filter.length === 0 && path.sub === undefined;
  const multiValued = path.filter.length > 0 || (attribute?.multiValued ?? isList);
  // A list of complex values is written as what they are: `emails` for `emails.value`.
  const hasValue = parts.some((part) => isSameName(part.name, 'value'));
  const part = path.sub ?? (hasValue || path.filter.length > 0 ? 'value' : undefined);
  if (part === undefined && attribute?.type === 'complex') throw incomplete(name, parts);
  const leaf = part === undefined ? attribute : parts.find((other) => isSameName(other.name, part));
  return {
    name,
    path,
    multiValued,
    part,
    type: formOf(as) ?? (leaf === undefined || leaf.type === 'complex' ? 'string' : leaf.type),
    caseExact: leaf?.caseExact ?? true, // as long as nobody says otherwise, two spellings are two values
  };
}

function incomplete(name: string, parts: readonly AttributeType[]): TargetError {
  const [first] = parts;
  const example = first === undefined ? '' : `, such as ${name}.${first.name}`;
  return new TargetError('misconfigured', `attribute ${name} is made of parts: name one in the mapping${example}`);
}

/** What is known of the attribute that a path begins with. */
export function typeOf(path: ScimPath, { schema, bySchema, known }: Types): AttributeType | undefined {
  const described = bySchema.get((path.schema ?? schema).toLowerCase()) ?? [];
  const find = (types: readonly AttributeType[]) => types.find(({ name }) => isSameName(name, path.attribute));
  return find(described) ?? find(known);
}

/** The path with the resource's own schema left out, where it names that. */
function within(path: ScimPath, { schema }: Types): ScimPath {
  return isSameName(path.schema, schema) ? { ...path, schema: undefined } : path;
}

function formOf(as: ScimForm): Place['type'] | undefined {
  switch (as) {
    case 'number':
      return 'decimal';
    case 'boolean':
      return 'boolean';
    case 'text':
      return 'string';
    default:
      return undefined;
  }
}
