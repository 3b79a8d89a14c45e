/** Which actions a change consists of, and what scripts read for each: one action per invocation, in this order. */
import type { ScriptConfig, ScriptMapping } from '../../config/script.ts';
import { type Document, toBoolean } from '../document.ts';
import type { Attributes, Change, Password, Value, Whole } from '../target.ts';
import type { Action } from './action.ts';
import { enabled, identityOf } from './document.ts';

/** One action for one identity. */
export interface Request {
  readonly action: Action;
  /** What goes to standard input. */
  readonly document: Document;
  /** Values that nobody may see again. */
  readonly secrets: readonly string[];
}

const lifecycle = 'lifecycle';

/** The actions that a change consists of. */
export function requestsFor(
  change: Change,
  whole: Whole,
  mapping: ScriptMapping,
  createAction: ScriptConfig['createAction'],
): Request[] {
  const { written } = whole;
  switch (change.operation) {
    case 'remove':
      return [request('IDENTITY_DELETE', change.remoteId, mapping, written)];
    case 'create': {
      const { remoteId: id, attributes } = change;
      const disable = isDisabled(attributes[enabled]);
      return [
        request(createAction, id, mapping, attributes),
        ...(disable ? [request('IDENTITY_DISABLE', id, mapping, attributes)] : []),
      ];
    }
    case 'update': {
      const id = change.renameTo ?? change.remoteId;
      const { desired } = whole;
      const turn = change.changes.find(({ attribute }) => attribute === enabled);
      const action = isDisabled(turn?.values) ? 'IDENTITY_DISABLE' : 'IDENTITY_ENABLE';
      const turned = turn ? [request(action, id, mapping, desired ?? written)] : [];
      if (!desired) return turned;
      const moved = text(desired[lifecycle]) !== text(written[lifecycle]) && lifecycle in mapping.attributes;
      return [
        request('IDENTITY_UPDATE', id, mapping, desired),
        ...turned,
        ...(moved ? [lifecycleRequest([change.remoteId, id], mapping, written, desired)] : []),
      ];
    }
  }
}

/** One action for an identity as its attributes say. */
export function request(action: Action, id: string, mapping: ScriptMapping, attributes: Attributes): Request {
  const identity = identityOf(mapping, id, attributes);
  const isSync = action === 'IDENTITY_CREATE' || action === 'IDENTITY_UPDATE';
  const payload = isSync ? { identity: { action, identity } } : identity;
  return { action, document: { concernedTo: id, payload }, secrets: secretsIn(mapping, attributes) };
}

/** The action for an identity whose lifecycle is another than before. */
export function lifecycleRequest(
  [formerId, id]: readonly [string, string],
  mapping: ScriptMapping,
  before: Attributes,
  after: Attributes,
): Request {
  const payload = { before: identityOf(mapping, formerId, before), after: identityOf(mapping, id, after) };
  const secrets = secretsIn(mapping, after);
  return { action: 'IDENTITY_LIFECYCLE_CHANGED', document: { concernedTo: id, payload }, secrets };
}

/**
 * The action for a password that was handed over, in the shape that Sesame has: the passwords beside the keys of the
 * identity, and `uid`, its login.
 */
export function passwordRequest(
  { kind, next, former }: Password,
  id: string,
  mapping: ScriptMapping,
  attributes: Attributes,
): Request {
  const identity = identityOf(mapping, id, attributes);
  const [login] = attributes['inetOrgPerson.uid'] ?? attributes.uid ?? [];
  const passwords = { ...(former === undefined ? {} : { oldPassword: former }), newPassword: next };
  return {
    action: kind === 'reset' ? 'IDENTITY_PASSWORD_RESET' : 'IDENTITY_PASSWORD_CHANGE',
    document: { concernedTo: id, payload: { ...identity, uid: typeof login === 'string' ? login : id, ...passwords } },
    secrets: [next, ...(former === undefined ? [] : [former]), ...secretsIn(mapping, attributes)],
  };
}

/** The question whether a backend is there. */
export const ping: Request = { action: 'PING_TARGET', document: { concernedTo: null, payload: {} }, secrets: [] };

function isDisabled(values: readonly Value[] = []): boolean {
  const [value] = values;
  return typeof value === 'string' && toBoolean(value) === false;
}

function text(values: readonly Value[] = []): string {
  return JSON.stringify(values);
}

/** What the mapping says is secret, and every password, whatever it says. */
function secretsIn({ attributes }: ScriptMapping, values: Attributes): string[] {
  return Object.entries(values).flatMap(([path, own]) =>
    isSecret(attributes[path], path) ? own.map((value) => (typeof value === 'string' ? value : value.base64)) : [],
  );
}

/** Attributes as they may be shown: with asterisks for what is secret. */
export function masked({ attributes }: ScriptMapping, values: Attributes): Attributes {
  return Object.fromEntries(
    Object.entries(values).map(([path, own]) => [
      path,
      isSecret(attributes[path], path) ? own.map(() => '********') : own,
    ]),
  );
}

function isSecret(attribute: ScriptMapping['attributes'][string] | undefined, path: string): boolean {
  return (attribute && attribute.kind !== 'reference' && attribute.secret) || /passw|pwd/i.test(path);
}
