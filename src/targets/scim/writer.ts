/**
 * Writing resources. A change goes out as a PATCH where the service takes one; else the resource is read, changed and put
 * back as a whole, so that what others wrote in it stays. Whatever was read before is written under its version, where the
 * service has versions; one that has changed meanwhile (412) is read once more.
 */
import type { Document } from '../document.ts';
import { halfDone } from '../half-done.ts';
import { type Address, type Applied, type Change, TargetError, type TargetErrorKind } from '../target.ts';
import { type Answer, isSuccess, refusal, scimTypeOf } from './answer.ts';
import { draftOf, placed, placedOf, secretsIn } from './draft.ts';
import { textIn } from './json.ts';
import { isMembers, memberOperations, needsReading, operationsOf, type PatchOperation, type Placed } from './patch.ts';
import { writable } from './put.ts';
import { pathOf, type Read, type Reader } from './reader.ts';
import { parseRemoteId } from './remote-id.ts';
import { changedAll } from './resource.ts';
import type { Request, Service } from './service.ts';
import type { Shape } from './shape.ts';

/** Sends one change; by itself, or with others. */
export type Send = (request: Request, signal: AbortSignal) => Promise<Answer>;

type Of<Operation extends Change['operation']> = Extract<Change, { operation: Operation }>;

/** One resource that is being changed. */
interface Subject {
  readonly shape: Shape;
  readonly id: string;
  readonly what: string;
  readonly secrets: readonly string[];
}

const patchSchema = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';

export class Writer {
  readonly #service: Service;
  readonly #reader: Reader;
  readonly #send: Send;

  constructor(service: Service, reader: Reader, send: Send) {
    this.#service = service;
    this.#reader = reader;
    this.#send = send;
  }

  async create({ entity, remoteId, attributes }: Of<'create'>, signal: AbortSignal): Promise<Applied> {
    const shape = await this.#reader.shapeOf(entity);
    const what = `create ${remoteId}`;
    const { patch } = await this.#service.features();
    const most = patch ? this.#service.config.membersPerRequest : Number.POSITIVE_INFINITY;
    const { resource, members } = draftOf(remoteId, attributes, shape, most);
    const all = Object.entries(attributes).flatMap(([attribute, values]) =>
      placed({ attribute, action: 'replace', values }, shape),
    );
    const secrets = secretsIn(all, shape);
    await this.#assertFree(shape, remoteId, undefined, what, signal);
    const answer = await this.#send(
      { method: 'POST', path: shape.type.endpoint, body: resource, what, secrets },
      signal,
    );
    if (!isSuccess(answer)) throw refusal(answer, what, answer.status === 404 ? 'misconfigured' : undefined);
    try {
      const id = idIn(answer) ?? (await this.#reader.idOf(shape, remoteId, signal));
      if (id === undefined) throw new TargetError('unknown', `${what}: the service said it was done, but shows none`);
      if (members.length > 0) await this.#patch({ shape, id, what, secrets }, members, signal);
      return { remoteId, stableId: id };
    } catch (error) {
      throw halfDone(error);
    }
  }

  async update(change: Of<'update'>, signal: AbortSignal): Promise<Applied> {
    const { entity, remoteId, renameTo } = change;
    const shape = await this.#reader.shapeOf(entity);
    const what = renameTo === undefined ? `change ${remoteId}` : `rename ${remoteId} to ${renameTo}`;
    const id = change.stableId ?? (await this.#reader.idOf(shape, remoteId, signal));
    if (id === undefined) throw new TargetError('gone', `${what}: there is no such resource`);
    const changes = placedOf(change, shape);
    if (renameTo !== undefined) await this.#assertFree(shape, renameTo, id, what, signal);
    const answer = await this.#write({ shape, id, what, secrets: secretsIn(changes, shape) }, changes, signal);
    const name = answer?.document && shape.nameOf(answer.document);
    const moved = renameTo === undefined && name !== undefined ? shape.remoteId(name) : remoteId;
    return { remoteId: renameTo ?? moved, stableId: id };
  }

  async remove(change: Of<'remove'>, signal: AbortSignal): Promise<Applied> {
    const { entity, remoteId } = change;
    const shape = await this.#reader.shapeOf(entity);
    const what = `remove ${remoteId}`;
    const id = change.stableId ?? (await this.#reader.idOf(shape, remoteId, signal));
    if (id === undefined) return { remoteId };
    const answer = await this.#send({ method: 'DELETE', path: pathOf(shape, id), what }, signal);
    const isGone = answer.status === 404 || answer.status === 410;
    if (!isSuccess(answer) && !isGone) throw refusal(answer, what, answer.status === 409 ? 'unknown' : undefined);
    return { remoteId, stableId: id };
  }

  async setPassword(
    entry: Address & { readonly entity: string },
    password: string,
    signal: AbortSignal,
  ): Promise<void> {
    const changes = [{ attribute: 'password', action: 'replace', values: [password] } as const];
    await this.update({ operation: 'update', ...entry, changes }, signal);
  }

  /** Where the service lets several resources have one name, it is for us to see that it is free. */
  async #assertFree(shape: Shape, remoteId: string, own: string | undefined, what: string, signal: AbortSignal) {
    if (shape.namesAreUnique) return;
    const id = await this.#reader.idOf(shape, remoteId, signal);
    if (id === undefined || id === own) return;
    const { name } = parseRemoteId(remoteId);
    throw new TargetError(
      'exists',
      `${what}: there is a resource of this ${shape.naming.name} already, ${name} (${id})`,
    );
  }

  async #write(subject: Subject, changes: readonly Placed[], signal: AbortSignal): Promise<Answer | undefined> {
    if (changes.length === 0) return undefined;
    const { patch } = await this.#service.features();
    if (!patch) return this.#put(subject, changes, signal);
    const answer = await this.#patch(subject, changes, signal);
    if (answer?.status !== 405 && answer?.status !== 501) return answer;
    this.#service.deny('patch');
    return this.#put(subject, changes, signal);
  }

  /** Undefined where there was nothing to be said; answers 405 and 501 where the service takes no PATCH. */
  async #patch(subject: Subject, changes: readonly Placed[], signal: AbortSignal): Promise<Answer | undefined> {
    const { membersPerRequest, removeMembers } = this.#service.config;
    const [members = [], ...more] = memberOperations(changes, membersPerRequest, removeMembers);
    const first = await this.#underVersion(changes.some(needsReading), subject, signal, (read) => {
      const operations = [...operationsOf(changes, read?.resource), ...members];
      return operations.length === 0 ? undefined : patch(subject, operations);
    });
    if (first === undefined || !isSuccess(first)) return first && this.#notTaken(first, subject, changes);
    try {
      for (const operations of more) {
        const answer = await this.#send(patch(subject, operations), signal);
        if (!isSuccess(answer)) throw refusal(answer, subject.what, kindOfChange(answer, changes));
      }
    } catch (error) {
      throw halfDone(error);
    }
    return first;
  }

  #notTaken(answer: Answer, { what }: Subject, changes: readonly Placed[]): Answer {
    if (answer.status === 405 || answer.status === 501) return answer;
    throw refusal(answer, what, kindOfChange(answer, changes));
  }

  async #put(subject: Subject, changes: readonly Placed[], signal: AbortSignal): Promise<Answer> {
    const { shape, id, what, secrets } = subject;
    const answer = await this.#underVersion(true, subject, signal, (read) => {
      const before = writable(read?.resource ?? {}, shape.type.types);
      const after = changedAll(before, changes);
      const extensions = changes.flatMap(({ place }) => place.path.schema ?? []);
      return { method: 'PUT', path: pathOf(shape, id), body: withSchemas(after, extensions), what, secrets };
    });
    if (answer !== undefined && isSuccess(answer)) return answer;
    if (answer === undefined) throw new TargetError('unknown', `${what}: nothing was sent`);
    if (answer.status === 405 || answer.status === 501)
      throw refusal(
        answer,
        `${what} with PUT, for PATCH is not taken, by the service or \`features:\``,
        'misconfigured',
      );
    throw refusal(answer, what, kindOfChange(answer, changes));
  }

  /** Sends what becomes of a resource as it was read, once more where it has changed since. Throws `gone`. */
  async #underVersion(
    isRead: boolean,
    { shape, id, what }: Subject,
    signal: AbortSignal,
    make: (read: Read | undefined) => Request | undefined,
  ): Promise<Answer | undefined> {
    const { etag: hasVersions } = await this.#service.features();
    const attempt = async (): Promise<Answer | undefined> => {
      const read = isRead ? await this.#reader.get(shape, id, undefined, signal) : undefined;
      if (isRead && read === undefined) throw new TargetError('gone', `${what}: there is no resource ${id}`);
      const request = make(read);
      const etag = hasVersions ? read?.etag : undefined;
      return request && this.#send(etag === undefined ? request : { ...request, etag }, signal);
    };
    const answer = await attempt();
    return answer?.status === 412 && isRead ? attempt() : answer;
  }
}

function patch({ shape, id, what, secrets }: Subject, operations: readonly PatchOperation[]): Request {
  const body = { schemas: [patchSchema], Operations: operations };
  return { method: 'PATCH', path: pathOf(shape, id), body, what, secrets };
}

/** Where only members are changed, a conflict is about them: one is there already, or is not. */
function kindOfChange(answer: Answer, changes: readonly Placed[]): TargetErrorKind | undefined {
  if (!changes.every(isMembers)) return undefined;
  return answer.status === 409 || scimTypeOf(answer)?.toLowerCase() === 'notarget' ? 'converged' : undefined;
}

function withSchemas(resource: Document, extensions: readonly string[]): Document {
  const { schemas } = resource;
  const known = Array.isArray(schemas) ? schemas.filter((schema) => typeof schema === 'string') : [];
  return { ...resource, schemas: [...new Set([...known, ...extensions.filter((name) => name in resource)])] };
}

/** The id of what was created: in the body, or at the end of its address. */
function idIn({ document, location }: Answer): string | undefined {
  const id = document && textIn(document, 'id');
  if (id !== undefined || location === undefined) return id;
  const last =
    location
      .replace(/[?#].*$/s, '')
      .split('/')
      .at(-1) ?? '';
  return last === '' ? undefined : decodeURIComponent(last);
}
