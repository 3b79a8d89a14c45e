/** Distinguished names as remote ids: the form under which they are unique, and one to step aside to. */
import { asideMark } from '../aside-mark.ts';
import { TargetError } from '../target.ts';
import { DnSyntaxError, formatDn, normaliseDn, parseDn, plainRdn } from './dn.ts';
import { remembering } from './remembering.ts';

/** Of the names above entries: many share them. */
const rememberedAbove = 256;

const normalisedAbove = remembering(normaliseRemoteId, rememberedAbove);

/**
 * By caseIgnoreMatch for every attribute in a DN, whatever a server's schema says: this text is stored. Throws `rejected`
 * for what is no name of an entry.
 */
export function normaliseRemoteId(remoteId: string): string {
  const plain = plainRdn(remoteId);
  try {
    if (plain !== undefined) return `${plain.rdn},${normalisedAbove(plain.above)}`;
  } catch {} // the whole name says better what is wrong with it
  try {
    const dn = parseDn(remoteId);
    const empty = dn.flat().find((naming) => 'value' in naming && naming.value.trim() === '');
    if (dn.length === 0) throw new DnSyntaxError('not a distinguished name: it is empty');
    if (empty !== undefined)
      throw new DnSyntaxError(`not a distinguished name: ${empty.type} is empty in "${remoteId}"`);
    return normaliseDn(remoteId);
  } catch (error) {
    if (error instanceof DnSyntaxError) throw new TargetError('rejected', error.message, { cause: error });
    throw error;
  }
}

/** A name beside an entry's own, under the same parent, unique for a key. */
export function asideDn(remoteId: string, key: string): string {
  normaliseRemoteId(remoteId);
  const [rdn = [], ...parent] = parseDn(remoteId);
  const value = `staffetta-${asideMark(key)}`;
  return formatDn([[{ type: rdn[0]?.type ?? 'cn', value }], ...parent]);
}
