/** A change of a resource, made ready: which of its changes say something, where, and what of it nobody may see. */
import type { Document } from '../document.ts';
import type { AttributeChange, Attributes, Change, Value } from '../target.ts';
import { isMembers, type Placed } from './patch.ts';
import { parseRemoteId } from './remote-id.ts';
import { changedAll } from './resource.ts';
import type { Shape } from './shape.ts';

/** The changes of an update, its new name among them. */
export function placedOf({ renameTo, changes }: Extract<Change, { operation: 'update' }>, shape: Shape): Placed[] {
  const naming = renameTo === undefined ? [] : [nameChange(renameTo, shape)];
  return [...naming, ...changes.flatMap((change) => placed(change, shape))];
}

function nameChange(remoteId: string, { naming }: Shape): Placed {
  const change = { attribute: naming.name, action: 'replace', values: [parseRemoteId(remoteId).name] } as const;
  return { change, place: naming, isReference: false };
}

/** A list of references may be empty, so no placeholder stands in it. */
export function placed(change: AttributeChange, shape: Shape): Placed[] {
  const isReference = shape.isReference(change.attribute);
  const values = isReference ? change.values.filter((value) => value !== '') : change.values;
  if (values.length === 0 && change.action !== 'replace') return [];
  return [{ change: { ...change, values }, place: shape.place(change.attribute), isReference }];
}

/** A resource to be created, and the members that go into it afterwards, for there are more than one request takes. */
export interface Draft {
  readonly resource: Document;
  readonly members: readonly Placed[];
}

/** `most`: the members that are written with the resource. */
export function draftOf(remoteId: string, attributes: Attributes, shape: Shape, most: number): Draft {
  const all = Object.entries(attributes).flatMap(([attribute, values]) => {
    const action = shape.isReference(attribute) ? ('add' as const) : ('replace' as const);
    return placed({ attribute, action, values }, shape);
  });
  const parts = all.map((item) => (isMembers(item) ? split(item, most) : { now: item, later: [] }));
  const written = [nameChange(remoteId, shape), ...parts.map(({ now }) => now)];
  const extensions = written.flatMap(({ place }) => place.path.schema ?? []);
  const schemas = [...new Set([shape.type.types.schema, ...extensions])];
  return {
    resource: changedAll({ schemas }, written),
    members: parts.flatMap(({ later }) => later),
  };
}

function split(item: Placed, most: number): { now: Placed; later: Placed[] } {
  const { values } = item.change;
  const part = (own: readonly Value[]): Placed => ({ ...item, change: { ...item.change, values: own } });
  return { now: part(values.slice(0, most)), later: values.length > most ? [part(values.slice(most))] : [] };
}

/** The values that nobody may see again. */
export function secretsIn(changes: readonly Placed[], shape: Shape): string[] {
  return changes
    .filter(({ change }) => shape.isSecret(change.attribute))
    .flatMap(({ change }) => change.values.map((value) => (typeof value === 'string' ? value : value.base64)));
}
