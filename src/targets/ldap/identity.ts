/**
 * Which installation of a directory this is, whatever its name and address (PROTOCOL C5): the stable id of the entry at
 * the root of its tree, which replicas have in common and another directory with the same suffix has not.
 */
import type { LdapMapping } from '../../config/ldap.ts';
import { TargetError } from '../target.ts';
import { basesOf } from './base.ts';
import type { Connection } from './connection.ts';
import { contextOf, type Directory } from './directory.ts';
import { normaliseDn } from './dn.ts';
import { LdapError } from './errors.ts';
import { search } from './search.ts';
import { stableIdOf } from './state.ts';

/** The root of the tree that holds the entries of the first entity. Throws `misconfigured` where the server holds none. */
export function rootOf(mappings: readonly LdapMapping[], directory: Directory, server: string): string {
  const bases = mappings.flatMap((mapping) => basesOf(mapping, directory.contexts));
  const base = bases[0] ?? directory.contexts[0] ?? '';
  const context = contextOf(directory, base);
  if (context !== undefined) return context;
  const held = directory.contexts.length === 0 ? 'shows no tree at all' : `holds ${directory.contexts.join(' and ')}`;
  throw new TargetError('misconfigured', `${server} does not hold ${base}: it ${held}`);
}

/** Of the server at the other end; undefined where it does not show us the root of the tree. */
export async function readIdentity(
  connection: Connection,
  directory: Directory,
  root: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const attributes = directory.stableId === undefined ? [] : [directory.stableId];
  try {
    const [found] = await search(connection, { base: root, scope: 'base', attributes }, signal);
    return found && identityOf(stableIdOf(directory, found), root);
  } catch (error) {
    if (error instanceof LdapError && error.code === 32) return 'a directory without this tree';
    if (error instanceof TargetError && error.kind === 'one-sided') return undefined;
    throw error;
  }
}

/** `stableId`: of the entry at the root, where the server tells one. */
export function identityOf(stableId: string | undefined, root: string): string {
  return stableId ?? normaliseDn(root);
}
