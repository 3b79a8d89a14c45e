/** Reads entries: one, those that match, all. */
import { canonical } from '../document.ts';
import { type Match, type RemoteState, TargetError, type Value } from '../target.ts';
import type { WebClient } from '../web/client.ts';
import { neededContentOf } from './content.ts';
import type { Entity, Subject } from './entity.ts';
import type { Operation } from './operation.ts';
import { itemsOf } from './pages.ts';
import { at } from './pointer.ts';

/** Where an entry is looked for: its id as the service knows it. */
export interface Address {
  readonly id: string;
  readonly stableId?: string | undefined;
}

export class Reader {
  readonly #client: WebClient;
  readonly #normalise: (remoteId: string) => string;

  constructor(client: WebClient, normalise: (remoteId: string) => string) {
    this.#client = client;
    this.#normalise = normalise;
  }

  /** One entry, by its stable id where there is one, else by its id; undefined where it is proven not to be there. */
  async read(
    entity: Entity,
    { id, stableId }: Address,
    names: readonly string[],
    signal: AbortSignal,
  ): Promise<RemoteState | undefined> {
    const operation = entity.needed('read');
    const scope = entity.scope({ id, stableId, attributes: {} });
    if (!operation.isFilled(scope)) return this.byId(entity, id, names, signal);
    const what = `read ${entity.remoteId(id)}`;
    try {
      const answer = await operation.ask(this.#client, operation.request(scope, { what, secrets: [] }), signal);
      const { item: pointer = '' } = entity.mapping.operations.read ?? {};
      const item = at(neededContentOf(answer, what), pointer);
      if (item === null) return undefined;
      if (item !== undefined && item !== '')
        return entity.state(item, names, {
          remoteId: entity.remoteId(id),
          ...(stableId === undefined ? {} : { stableId }),
        });
      throw new TargetError('unknown', `${what}: ${answer.asked} answered no entry at "${pointer}": ${answer.excerpt}`);
    } catch (error) {
      if (!(error instanceof TargetError) || error.kind !== 'gone') throw error;
      const isElsewhere = stableId !== undefined && operation.names.includes('stableId');
      return isElsewhere && this.#canSeek(entity) ? this.byId(entity, id, names, signal) : undefined;
    }
  }

  #canSeek(entity: Entity): boolean {
    return (entity.operation('find') ?? entity.operation('list')) !== undefined;
  }

  /** The entry that has an id, though it cannot be asked for by it: found, or else looked for among all. */
  async byId(
    entity: Entity,
    id: string,
    names: readonly string[],
    signal: AbortSignal,
  ): Promise<RemoteState | undefined> {
    const wanted = this.#normalise(entity.remoteId(id));
    const subject: Subject = { id, attributes: {} };
    const find = entity.operation('find');
    const states =
      find?.isFilled(entity.scope(subject)) === true
        ? this.#states(entity, 'find', subject, names, signal)
        : this.scan(entity, names, signal);
    for await (const state of states) if (this.#normalise(state.remoteId) === wanted) return state;
    return undefined;
  }

  /** The entries that match, by key: a question for each identity. What is answered beside them is left out. */
  async find(
    entity: Entity,
    matches: readonly Match[],
    names: readonly string[],
    signal: AbortSignal,
  ): Promise<[string, RemoteState[]][]> {
    const found = await Promise.all(
      matches.map(async ({ key, where }): Promise<[string, RemoteState[]]> => {
        const attributes = Object.fromEntries(Object.entries(where).map(([name, value]) => [name, [value]] as const));
        const { idPath } = entity.mapping;
        const [named] = (idPath === undefined ? undefined : attributes[idPath]) ?? [];
        const subject = { id: typeof named === 'string' ? named : '', attributes };
        const asked = [...new Set([...names, ...Object.keys(where)])];
        const states: RemoteState[] = [];
        for await (const state of this.#states(entity, 'find', subject, asked, signal)) {
          if (!Object.entries(where).every(([name, value]) => this.#has(entity, state, name, value))) continue;
          const kept = Object.entries(state.attributes).filter(([name]) => names.includes(name));
          states.push({ ...state, attributes: Object.fromEntries(kept) });
        }
        return [key, states];
      }),
    );
    return found.filter(([, states]) => states.length > 0);
  }

  #has(entity: Entity, { attributes }: RemoteState, name: string, value: Value): boolean {
    const form = entity.forms.get(name) ?? 'text';
    return (attributes[name] ?? []).some((present) => canonical(present, form) === canonical(value, form));
  }

  /** Every entry. */
  async *scan(
    entity: Entity,
    names: readonly string[],
    signal: AbortSignal,
  ): AsyncGenerator<RemoteState, void, undefined> {
    entity.needed('list');
    yield* this.#states(entity, 'list', { id: '', attributes: {} }, names, signal);
  }

  async *#states(
    entity: Entity,
    name: 'find' | 'list',
    subject: Subject,
    names: readonly string[],
    signal: AbortSignal,
  ): AsyncGenerator<RemoteState, void, undefined> {
    const operation: Operation = entity.needed(name);
    const config = entity.mapping.operations[name];
    if (config === undefined) return;
    const what = name === 'list' ? `list ${entity.name}` : `look for ${entity.remoteId(subject.id)}`;
    const given = { scope: entity.scope(subject), what, secrets: [] };
    try {
      for await (const item of itemsOf(operation, config, this.#client, given, signal))
        yield entity.state(item, names, undefined);
    } catch (error) {
      if (!(error instanceof TargetError) || error.kind !== 'gone') throw error;
      // Nothing matches, if that is how the service says it; but a list that is not there proves nothing.
      if (name === 'find' && Object.values(config.status).includes('gone')) return;
      throw new TargetError('misconfigured', `${error.message}; check the path of ${name}`, { cause: error });
    }
  }
}
