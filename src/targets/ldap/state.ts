/** An entry as a server shows it, in Staffetta's words. */
import { type RemoteState, TargetError, type Value } from '../target.ts';
import type { Directory } from './directory.ts';
import { DnSyntaxError, normaliseDn } from './dn.ts';
import type { Found } from './search.ts';
import { readStableId } from './stable-id.ts';
import { fromBytes } from './value.ts';

/** Who created an entry (RFC 4512 §3.4.1). */
export const creator = 'creatorsName';

/** An entry with the attributes that were asked for, under the names they were asked for. `account`: as whom we are bound. */
export function stateOf(
  directory: Directory,
  found: Found,
  attributes: readonly string[],
  account: string | undefined,
): RemoteState {
  const { schema } = directory;
  const byName = new Map<string, readonly Buffer[]>();
  for (const [name, values] of found.attributes) {
    if (name.includes(';') && /;range=/i.test(name))
      throw new TargetError('unknown', `the server told only a part of ${name} of ${found.dn}`);
    byName.set(schema.canonical(name), values);
  }
  const held: Record<string, readonly Value[]> = {};
  for (const name of attributes) {
    const values = byName.get(schema.canonical(name));
    if (values === undefined || values.length === 0) continue;
    const { binary } = schema.type(name);
    held[name] = values.map((value) => fromBytes(value, binary));
  }
  const stableId = stableIdOf(directory, found);
  const createdByUs = isCreatedBy(account, byName.get(schema.canonical(creator))?.[0]);
  return {
    remoteId: found.dn,
    ...(stableId === undefined ? {} : { stableId }),
    attributes: held,
    ...(createdByUs === undefined ? {} : { createdByUs }),
  };
}

/** Undefined where the server does not tell, or one of the two is no DN. */
function isCreatedBy(account: string | undefined, by: Buffer | undefined): boolean | undefined {
  if (account === undefined || by === undefined) return undefined;
  try {
    return normaliseDn(by.toString()) === normaliseDn(account);
  } catch (error) {
    if (error instanceof DnSyntaxError) return undefined;
    throw error;
  }
}

/** The id of an entry that survives renames, if it was asked for and told. */
export function stableIdOf({ schema, stableId }: Directory, found: Found): string | undefined {
  if (stableId === undefined) return undefined;
  for (const [name, [value]] of found.attributes) {
    if (value !== undefined && schema.canonical(name) === schema.canonical(stableId))
      return readStableId(stableId, value);
  }
  return undefined;
}
