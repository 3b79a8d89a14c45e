/** The `ldap` target: OpenLDAP and other directories that speak LDAP version 3. */
import { ExtendedRequest, ExtendedResponse } from 'ldapts';
import type { LdapConfig } from '../../config/ldap.ts';
import {
  type Address,
  type Applied,
  type Change,
  type Health,
  type Match,
  type Password,
  type RemoteState,
  type SearchFilter,
  type SearchOptions,
  type Target,
  TargetError,
  type Value,
} from '../target.ts';
import { sameValues } from './compare.ts';
import { type Directory, whoAmIOid } from './directory.ts';
import { identityOf } from './identity.ts';
import { lookUp } from './lookup.ts';
import { Reader } from './reader.ts';
import { remembering } from './remembering.ts';
import { asideDn, normaliseRemoteId } from './remote-id.ts';
import { Session } from './session.ts';
import { Writer } from './writer.ts';

export class LdapTarget implements Target {
  /** What others give an entry belongs with attributes of theirs, which would then be refused (result 65). */
  readonly merged = ['objectClass'];
  readonly #session: Session;
  readonly #reader: Reader;
  readonly #writer: Writer;
  readonly #normalised = remembering(normaliseRemoteId, rememberedNames);

  /** `folder`: where relative file names of the configuration begin. Connects only when it is asked something. */
  constructor(config: LdapConfig, folder: string) {
    this.#session = new Session(config, folder);
    this.#reader = new Reader(this.#session);
    this.#writer = new Writer(this.#session, this.#reader);
  }

  /** The identity is the stable id of the root of the tree that holds the entries (PROTOCOL C5). */
  async ping(signal: AbortSignal): Promise<Health> {
    const directory = await this.#session.refresh(signal);
    const context = this.#session.root(directory);
    const root = await this.#reader.entry(context, [], signal);
    if (root === undefined) {
      const message = `${this.#session.name} has no entry ${context}: add the root of the tree, then Staffetta can write below it`;
      throw new TargetError('misconfigured', message);
    }
    const account = await this.#account(directory, signal);
    return {
      summary: `${directory.product} at ${this.#session.name}, ${context}, as ${account}`,
      identity: identityOf(root.stableId, context),
    };
  }

  expect(identity: string | undefined): void {
    this.#session.expect(identity);
  }

  async apply(change: Change, signal: AbortSignal): Promise<Applied> {
    this.normalise(change.remoteId);
    switch (change.operation) {
      case 'create':
        return this.#writer.create(change, signal);
      case 'update':
        if (change.renameTo !== undefined) this.normalise(change.renameTo);
        return this.#writer.update(change, signal);
      case 'remove':
        return this.#writer.remove(change, signal);
    }
  }

  setPassword(entry: Address & { readonly entity: string }, { next }: Password, signal: AbortSignal): Promise<void> {
    return this.#writer.setPassword(entry, next, signal);
  }

  normalise(remoteId: string): string {
    return this.#normalised(remoteId);
  }

  same(attribute: string, left: readonly Value[], right: readonly Value[]): boolean {
    return sameValues(this.#session.schema, attribute, left, right);
  }

  aside(remoteId: string, key: string): string {
    return asideDn(remoteId, key);
  }

  find(
    matches: readonly Match[],
    attributes: readonly string[],
    signal: AbortSignal,
  ): Promise<Map<string, RemoteState[]>> {
    return this.#reader.find(matches, attributes, signal);
  }

  async read(entry: Address, attributes: readonly string[], signal: AbortSignal): Promise<RemoteState | undefined> {
    this.normalise(entry.remoteId);
    return this.#reader.read(entry, attributes, signal);
  }

  scan(entity: string, attributes: readonly string[], signal: AbortSignal): AsyncIterable<RemoteState> {
    return this.#reader.scan(entity, attributes, signal);
  }

  async base(signal: AbortSignal): Promise<string> {
    return this.#session.root(await this.#session.directory(signal));
  }

  search(filter: SearchFilter, options: SearchOptions, signal: AbortSignal): Promise<RemoteState[]> {
    return lookUp(this.#session, filter, options, signal);
  }

  async close(): Promise<void> {
    this.#session.close();
  }

  /** As whom the server sees us (RFC 4532), or as whom we came. */
  async #account(directory: Directory, signal: AbortSignal): Promise<string> {
    const { bind } = this.#session.config;
    if (!directory.whoAmI) return bind?.dn ?? 'nobody';
    const request = new ExtendedRequest({ messageId: 0, oid: whoAmIOid });
    const about = { operation: 'search' as const, dn: bind?.dn ?? '' };
    const { value = '' } = await this.#session.send(request, ExtendedResponse, about, signal);
    return value.replace(/^(?:dn|u):/, '') || 'nobody';
  }
}

/** Of the entries under way: each name is asked for several times. */
const rememberedNames = 4096;
