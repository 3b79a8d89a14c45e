/**
 * Making changes. A change may take several requests: a rename and the modification that belongs to it, or a list of
 * values too long for one. Once the first has succeeded, whatever fails after it is `unsure`: the change is half made.
 *
 *   create   add ► add the values that did not go in
 *   update   [find the entry ► rename] ► modify ► add or take the values that did not go in
 *   remove   see that it is the entry meant ► delete
 *
 * An entry that is not where it should be is looked for by its stable id: somebody may have moved it.
 */
import {
  AddRequest,
  AddResponse,
  DeleteRequest,
  DeleteResponse,
  ExtendedResponse,
  type Change as LdapChange,
  ModifyDNRequest,
  ModifyDNResponse,
  ModifyRequest,
  ModifyResponse,
} from 'ldapts';
import { type Address, type Applied, type Change, TargetError } from '../target.ts';
import { formatDn, formatRdn, normaliseDn, parseDn } from './dn.ts';
import { LdapError, type Operation } from './errors.ts';
import { additions, modifications } from './modification.ts';
import { afterRename, namingValues, withNaming } from './naming.ts';
import { passwordModify, passwordValue } from './password.ts';
import { PostReadControl } from './post-read.ts';
import type { Reader } from './reader.ts';
import { toFound } from './search.ts';
import { secretsOf } from './secrets.ts';
import type { Session } from './session.ts';
import { stableIdOf } from './state.ts';

/** Where the mapping says nothing more of passwords. */
const passwordDefaults = { attribute: 'userPassword', form: 'exop' } as const;

type Create = Extract<Change, { operation: 'create' }>;
type Update = Extract<Change, { operation: 'update' }>;
type Remove = Extract<Change, { operation: 'remove' }>;

/** What every step of a change has to know. */
interface Step {
  readonly change: Change;
  readonly signal: AbortSignal;
  /** An earlier step has been made. */
  readonly unsure: boolean;
}

export class Writer {
  readonly #session: Session;
  readonly #reader: Reader;

  constructor(session: Session, reader: Reader) {
    this.#session = session;
    this.#reader = reader;
  }

  async create(change: Create, signal: AbortSignal): Promise<Applied> {
    const directory = await this.#session.directory(signal);
    const { schema, stableId } = directory;
    const dn = change.remoteId;
    const { initial, later } = additions(schema, withNaming(schema, dn, change.attributes));
    const told = directory.postRead && stableId !== undefined ? new PostReadControl([stableId]) : undefined;
    const controls = told === undefined ? [] : [told];
    const request = new AddRequest({ messageId: 0, dn, attributes: initial, controls });
    await this.#session.send(request, AddResponse, this.#about('add', dn, { change, signal, unsure: false }), signal);
    return this.#made(async () => {
      await this.#modify(dn, later, { change, signal, unsure: true });
      const entry = told?.entry === undefined ? undefined : stableIdOf(directory, toFound(told.entry));
      return applied(dn, entry ?? (await this.#reader.entry(dn, [], signal))?.stableId);
    });
  }

  async update(change: Update, signal: AbortSignal): Promise<Applied> {
    if (change.renameTo !== undefined && formatDn(parseDn(change.renameTo)) !== formatDn(parseDn(change.remoteId))) {
      return this.#renameAndModify(change, change.renameTo, signal);
    }
    const { schema } = await this.#session.directory(signal);
    const steps = modifications(schema, change.changes);
    try {
      await this.#modify(change.remoteId, steps, { change, signal, unsure: false });
      return applied(change.remoteId, change.stableId);
    } catch (error) {
      if (!(error instanceof LdapError) || error.code !== 32 || error.unsure) throw error;
      const current = await this.#reader.read(change, [], signal);
      if (current === undefined) throw error;
      // The entry is there: what is missing is something that it shall refer to.
      if (sameDn(current.remoteId, change.remoteId))
        throw new TargetError('dependency', error.message, { cause: error });
      await this.#modify(current.remoteId, steps, { change, signal, unsure: false });
      return applied(current.remoteId, current.stableId);
    }
  }

  /** Gives an entry a password; one that was moved is found by its stable id. */
  async setPassword(
    { entity, remoteId, stableId }: Address & { readonly entity: string },
    password: string,
    signal: AbortSignal,
  ): Promise<void> {
    const { attribute, form } = this.#session.config.entities[entity]?.password ?? passwordDefaults;
    const id = { remoteId, ...(stableId === undefined ? {} : { stableId }) };
    if (form !== 'exop') {
      const values = [passwordValue(form, password)];
      await this.update(
        { operation: 'update', entity, ...id, changes: [{ attribute, action: 'replace', values }] },
        signal,
      );
      return;
    }
    const send = (dn: string): Promise<ExtendedResponse> =>
      this.#session.send(
        passwordModify(dn, password),
        ExtendedResponse,
        { operation: 'password', dn, secrets: [password], unsure: false },
        signal,
      );
    try {
      await send(remoteId);
    } catch (error) {
      if (!(error instanceof LdapError) || error.code !== 32 || error.unsure) throw error;
      const current = await this.#reader.read(id, [], signal);
      if (current === undefined || sameDn(current.remoteId, remoteId)) throw error;
      await send(current.remoteId);
    }
  }

  async remove(change: Remove, signal: AbortSignal): Promise<Applied> {
    const current = await this.#reader.read(change, [], signal);
    // An entry of that name with another stable id is somebody else's.
    const meant = change.stableId === undefined || current?.stableId === change.stableId;
    if (current === undefined || !meant) return applied(change.remoteId, change.stableId);
    const dn = current.remoteId;
    try {
      const about = this.#about('delete', dn, { change, signal, unsure: false });
      await this.#session.send(new DeleteRequest({ messageId: 0, dn }), DeleteResponse, about, signal);
    } catch (error) {
      // Somebody else was faster: it was there a moment ago.
      if (!(error instanceof LdapError) || error.code !== 32) throw error;
    }
    return applied(dn, current.stableId);
  }

  /** FACTS §6: the rename first, then the attributes; what the rename does to the naming attributes is put right. */
  async #renameAndModify(change: Update, to: string, signal: AbortSignal): Promise<Applied> {
    const { schema } = await this.#session.directory(signal);
    const [newRdn = [], ...newParent] = parseDn(to);
    const naming = [...namingValues([...newRdn, ...(parseDn(change.remoteId)[0] ?? [])]).keys()];
    const current = await this.#reader.read(change, naming, signal);
    if (current === undefined || (change.stableId !== undefined && current.stableId !== change.stableId)) {
      throw new TargetError('gone', `${change.remoteId}, to be renamed to ${to}, is not there any more`);
    }
    const [oldRdn = [], ...oldParent] = parseDn(current.remoteId);
    const moves = !sameDn(formatDn(newParent), formatDn(oldParent));
    const renamed = formatRdn(newRdn) !== formatRdn(oldRdn);
    const renames = moves || renamed;
    if (renames) {
      const request = new ModifyDNRequest({
        messageId: 0,
        dn: current.remoteId,
        newRdn: formatRdn(newRdn),
        deleteOldRdn: true,
        ...(moves ? { newSuperior: formatDn(newParent) } : {}),
      });
      const about = this.#about('rename', current.remoteId, { change, signal, unsure: false });
      await this.#session.send(request, ModifyDNResponse, about, signal);
    }
    const rename = { from: oldRdn, to: newRdn, before: current.attributes };
    const changes = renamed ? afterRename(schema, rename, change.changes) : change.changes;
    const modify = (): Promise<void> =>
      this.#modify(to, modifications(schema, changes), { change, signal, unsure: renames });
    await (renames ? this.#made(modify) : modify());
    return applied(to, current.stableId);
  }

  async #modify(dn: string, steps: readonly LdapChange[][], step: Step): Promise<void> {
    const send = async (changes: LdapChange[], unsure: boolean): Promise<void> => {
      const about = this.#about('modify', dn, { ...step, unsure });
      await this.#session.send(new ModifyRequest({ messageId: 0, dn, changes }), ModifyResponse, about, step.signal);
    };
    const [first, ...later] = steps;
    if (first === undefined) return;
    await send(first, step.unsure);
    await this.#made(async () => {
      for (const changes of later) await send(changes, true);
    });
  }

  /** Work that follows a step already made: its failure leaves the change half made. */
  async #made<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof TargetError) || error.unsure) throw error;
      throw new TargetError(error.kind, error.message, { unsure: true, cause: error });
    }
  }

  #about(operation: Operation, dn: string, { change, unsure }: Step) {
    const { config } = this.#session;
    return {
      operation,
      dn,
      unsure,
      // Only what is refused has a message.
      get secrets() {
        return secretsOf(config, change);
      },
    };
  }
}

function applied(remoteId: string, stableId: string | undefined): Applied {
  return { remoteId, ...(stableId === undefined ? {} : { stableId }) };
}

function sameDn(left: string, right: string): boolean {
  return normaliseDn(left) === normaliseDn(right);
}
