/** Writes entries: which operations a change consists of, and what each is told. */
import type { WriteConfig } from '../../config/http-operation.ts';
import { halfDone } from '../half-done.ts';
import { type Applied, type Attributes, type Change, type Password, TargetError, type Whole } from '../target.ts';
import type { WebClient } from '../web/client.ts';
import { Batch } from './batch.ts';
import { changedIn } from './changes.ts';
import type { Entity, Subject } from './entity.ts';
import type { Idempotency } from './idempotency.ts';
import { Operation } from './operation.ts';
import type { Reader } from './reader.ts';

type Name = 'create' | 'update' | 'save' | 'rename' | 'remove' | 'disable' | 'enable';

export class Writer {
  readonly #client: WebClient;
  readonly #reader: Reader;
  readonly #idempotency: Idempotency;
  readonly #batches = new Map<string, Batch>();

  constructor(client: WebClient, reader: Reader, idempotency: Idempotency) {
    this.#client = client;
    this.#reader = reader;
    this.#idempotency = idempotency;
  }

  /** Makes a change. Throws what the first operation that fails means; unsure where another was done before it. */
  async apply(entity: Entity, change: Change, whole: Whole | undefined, signal: AbortSignal): Promise<Applied> {
    const id = entity.idIn(change.remoteId);
    switch (change.operation) {
      case 'create':
        return this.#create(entity, id, change.attributes, signal);
      case 'remove':
        return this.#remove(entity, { id, stableId: change.stableId, attributes: whole?.written ?? {} }, signal);
      case 'update':
        return this.#update(entity, change, whole, signal);
    }
  }

  async #create(entity: Entity, id: string, attributes: Attributes, signal: AbortSignal): Promise<Applied> {
    const remoteId = entity.remoteId(id);
    const name = entity.operation('save') ? 'save' : 'create';
    const said = await this.#send(entity, name, { id, attributes, changed: attributes, before: {} }, signal);
    const stableId = said ?? (await this.#stableIdOf(entity, id, signal));
    return appliedAs(remoteId, stableId);
  }

  /** The stable id of an entry that was made, where its creation did not tell. The entry stands whatever becomes of this. */
  async #stableIdOf(entity: Entity, id: string, signal: AbortSignal): Promise<string | undefined> {
    if (typeof entity.mapping.stableId !== 'string' || !entity.operation('read')) return undefined;
    try {
      return (await this.#reader.read(entity, { id }, [], signal))?.stableId;
    } catch (error) {
      throw halfDone(error);
    }
  }

  async #remove(entity: Entity, subject: Subject, signal: AbortSignal): Promise<Applied> {
    const remoteId = entity.remoteId(subject.id);
    try {
      await this.#send(entity, 'remove', await this.#addressed(entity, 'remove', subject, signal), signal);
    } catch (error) {
      const isGone = error instanceof TargetError && (error.kind === 'gone' || error.kind === 'converged');
      if (!isGone) throw error;
    }
    return appliedAs(remoteId, subject.stableId);
  }

  async #update(
    entity: Entity,
    change: Extract<Change, { operation: 'update' }>,
    whole: Whole | undefined,
    signal: AbortSignal,
  ): Promise<Applied> {
    const { renameTo, stableId } = change;
    const remoteId = renameTo ?? change.remoteId;
    // Both are told their new ids in the end.
    if (renameTo !== undefined && isAside(renameTo) && !canRename(entity)) return appliedAs(remoteId, stableId);
    const before = whole?.desired ?? whole?.written ?? {};
    const live = await this.#members(entity, change, signal);
    const changed = changedIn(change.changes, { ...before, ...live });
    const attributes = { ...before, ...live, ...changed };
    const newId = entity.idIn(remoteId);
    let subject: Subject = {
      id: entity.idIn(change.remoteId),
      newId,
      stableId,
      attributes,
      changed,
      before: whole && { ...whole.written, ...live },
    };
    let isBegun = false;
    for (const name of this.#steps(entity, change, whole)) {
      try {
        subject = await this.#addressed(entity, name, subject, signal);
        await this.#send(entity, name, subject, signal);
      } catch (error) {
        throw isBegun ? halfDone(error) : error;
      }
      isBegun = true;
      if (name === 'rename') subject = { ...subject, id: newId };
    }
    return appliedAs(remoteId, subject.stableId);
  }

  /** The operations of an update, in order. */
  #steps(entity: Entity, change: Extract<Change, { operation: 'update' }>, whole: Whole | undefined): Name[] {
    const { changes, renameTo } = change;
    if (whole !== undefined && whole.desired === undefined && entity.operation('disable')) return ['disable'];
    const named = new Set(Object.keys(entity.mapping.disable?.attributes ?? {}));
    const isEnabled = entity.operation('enable') !== undefined && changes.some(({ attribute }) => named.has(attribute));
    const isRenamed = renameTo !== undefined && entity.operation('rename') !== undefined;
    const isWritten =
      changes.some(({ attribute }) => entity.forms.has(attribute)) || (renameTo !== undefined && !isRenamed);
    const write: Name = entity.operation('save') ? 'save' : 'update';
    return [
      ...(isRenamed ? (['rename'] as const) : []),
      ...(isEnabled ? (['enable'] as const) : []),
      ...(isWritten ? [write] : []),
    ];
  }

  /** The members that stand in an entry, where it has to be written with them, or some come and go. */
  async #members(
    entity: Entity,
    { remoteId, stableId }: Extract<Change, { operation: 'update' }>,
    signal: AbortSignal,
  ): Promise<Attributes> {
    const { references } = entity;
    if (references.length === 0) return {};
    const live = await this.#reader.read(entity, { id: entity.idIn(remoteId), stableId }, references, signal);
    if (live) return live.attributes;
    throw new TargetError('gone', `update ${remoteId}: it is not there`);
  }

  /** A subject with the stable id that an operation needs, looked up where nobody has recorded it. Throws `gone`. */
  async #addressed(entity: Entity, name: Name | 'password', subject: Subject, signal: AbortSignal): Promise<Subject> {
    if (subject.stableId !== undefined || !entity.operation(name)?.names.includes('stableId')) return subject;
    const live = await this.#reader.byId(entity, subject.id, [], signal);
    if (live?.stableId !== undefined) return { ...subject, stableId: live.stableId };
    throw new TargetError('gone', `${name} ${entity.remoteId(subject.id)}: it is not there`);
  }

  /** Sends one operation; answers with the stable id that the service tells of, if it does. */
  async #send(entity: Entity, name: Name, subject: Subject, signal: AbortSignal): Promise<string | undefined> {
    const operation = entity.needed(name);
    const config: Partial<WriteConfig> = entity.mapping.operations[name] ?? {};
    const what = `${name} ${entity.remoteId(subject.id)}`;
    const secrets = entity.secretsIn(subject.attributes, subject.changed ?? {});
    const scope = entity.scope(subject);
    if (config.batch === true) {
      const json = operation.body?.json?.(scope) ?? null;
      const { stableId } = await this.#batch(entity).send({ json, what, secrets, status: config.status ?? {} }, signal);
      return stableId;
    }
    const headers = config.ifNoneMatch === true ? { headers: { 'if-none-match': '*' } } : {};
    const request = operation.request(scope, { what, secrets, ...headers });
    const answer = await this.#idempotency.once(request, (keyed) => operation.ask(this.#client, keyed, signal));
    return entity.stableIdIn(answer, config.stableId);
  }

  #batch(entity: Entity): Batch {
    const known = this.#batches.get(entity.name);
    const config = entity.mapping.batch;
    if (known !== undefined) return known;
    if (config === undefined) throw new TargetError('misconfigured', `entity ${entity.name} has no batch:`);
    const operation = new Operation(config, { method: 'POST' }, entity.faults);
    const batch = new Batch(operation, config, this.#client, this.#idempotency);
    this.#batches.set(entity.name, batch);
    return batch;
  }

  async setPassword(entity: Entity, subject: Subject, { next, former }: Password, signal: AbortSignal): Promise<void> {
    const operation = entity.needed('password');
    const what = `set the password of ${entity.remoteId(subject.id)}`;
    const addressed = await this.#addressed(entity, 'password', subject, signal);
    const secrets = [next, ...(former === undefined ? [] : [former]), ...entity.secretsIn(subject.attributes)];
    const scope = entity.scope({ ...addressed, password: next, formerPassword: former });
    const request = operation.request(scope, { what, secrets });
    await this.#idempotency.once(request, (keyed) => operation.ask(this.#client, keyed, signal));
  }
}

function appliedAs(remoteId: string, stableId: string | undefined): Applied {
  return { remoteId, ...(stableId === undefined ? {} : { stableId }) };
}

const asidePrefix = 'staffetta-aside-';

/** An id that nobody has, for the time of a swap. `mark`: what tells it from others of its kind. */
export function asideOf(entity: string, mark: string): string {
  return `${entity}/${asidePrefix}${mark}`;
}

function isAside(remoteId: string): boolean {
  return remoteId.includes(`/${asidePrefix}`);
}

/** Whether the service knows ids that it can change. */
function canRename(entity: Entity): boolean {
  return entity.operation('rename') !== undefined || entity.mapping.idPath !== undefined;
}
