/**
 * Remote ids: the resource type and the name of the resource, `User/anna`. Two are the same entry by the rules that
 * staffetta.yml gives for the type, for their text is stored.
 */
import type { ScimConfig, ScimMapping } from '../../config/scim.ts';
import { isSameName } from '../../config/scim-path.ts';
import { asideMark } from '../aside-mark.ts';
import { TargetError } from '../target.ts';

export interface RemoteId {
  readonly resource: string;
  readonly name: string;
}

/** Reads a remote id. Throws `rejected` for one without a name. */
export function parseRemoteId(remoteId: string): RemoteId {
  const [, resource, name = ''] = /^([^/]+)\/(.*)$/s.exec(remoteId) ?? [];
  if (resource === undefined || name.trim() === '')
    throw new TargetError('rejected', `not the name of a resource: "${remoteId}" is empty after its type`);
  return { resource, name };
}

/** The remote id of a name. */
export function remoteIdOf({ resource, name }: RemoteId): string {
  return `${resource}/${name}`;
}

/** The form in which two remote ids are the same. */
export function normaliseRemoteId(remoteId: string, { entities }: ScimConfig): string {
  const { resource, name } = parseRemoteId(remoteId);
  const mapping = Object.values(entities).find((other) => isSameName(other.resource, resource));
  return remoteIdOf({ resource, name: normaliseName(name, mapping) });
}

/** The form in which two names of a resource type are the same. */
export function normaliseName(name: string, mapping: Pick<ScimMapping, 'caseSensitive'> | undefined): string {
  return mapping?.caseSensitive ? name : name.toLowerCase();
}

/** A name that nobody has, of the same form: a mail address stays one. */
export function asideOf(remoteId: string, key: string): string {
  const { resource, name } = parseRemoteId(remoteId);
  const mark = `staffetta-${asideMark(key)}`;
  const [, domain = ''] = /(@[^@\s]+)$/.exec(name) ?? [];
  return remoteIdOf({ resource, name: `${mark}${domain}` });
}
