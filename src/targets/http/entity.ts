/** An entity of a service: its operations, and its entries as documents. */
import type { Form } from '../../config/document-attribute.ts';
import type { HttpConfig, HttpMapping } from '../../config/http.ts';
import type { Locator, OperationConfig } from '../../config/http-operation.ts';
import { type Json, jsonOf, valuesAs, valuesOf } from '../document.ts';
import { type Attributes, type RemoteState, TargetError, type Value } from '../target.ts';
import type { WebAnswer } from '../web/answer.ts';
import { documentOf, type Forms, jsonPatch, mergePatch } from './changes.ts';
import { contentOf } from './content.ts';
import { Operation } from './operation.ts';
import { at, pointerOf } from './pointer.ts';
import type { Scope } from './scope.ts';

type Name = keyof HttpMapping['operations'];

/** What an operation is about. */
export interface Subject {
  /** The id that the entry has, and that it shall have; as the service knows them. */
  readonly id: string;
  readonly newId?: string;
  readonly stableId?: string | undefined;
  readonly attributes: Attributes;
  /** Of an update: the attributes that change, all their values; none: they are cleared. */
  readonly changed?: Attributes;
  /** What was written before; undefined: nobody knows. */
  readonly before?: Attributes | undefined;
  /** Passwords that were handed over. */
  readonly password?: string;
  readonly formerPassword?: string | undefined;
}

const methods: Readonly<Record<Name, string>> = {
  create: 'POST',
  update: 'PATCH',
  save: 'PUT',
  rename: 'POST',
  remove: 'DELETE',
  disable: 'POST',
  enable: 'POST',
  password: 'PUT',
  read: 'GET',
  find: 'GET',
  list: 'GET',
};

export class Entity {
  readonly name: string;
  readonly mapping: HttpMapping;
  readonly forms: Forms;
  readonly faults: HttpConfig['faults'];
  readonly #operations: ReadonlyMap<string, Operation>;
  readonly #refersBy: HttpConfig['refersBy'];

  constructor(name: string, mapping: HttpMapping, { faults, refersBy }: Pick<HttpConfig, 'faults' | 'refersBy'>) {
    this.name = name;
    this.mapping = mapping;
    this.forms = new Map(Object.entries(mapping.attributes).map(([path, { as }]) => [path, as] as const));
    this.#refersBy = refersBy;
    this.faults = faults;
    this.#operations = new Map(
      Object.entries(mapping.operations).flatMap(([operation, config]) =>
        config === undefined
          ? []
          : [[operation, new Operation(withCondition(config), usual(operation, config), faults)] as const],
      ),
    );
  }

  operation(name: Name): Operation | undefined {
    return this.#operations.get(name);
  }

  /** An operation that has to be there. Throws `rejected`. */
  needed(name: Name): Operation {
    const operation = this.#operations.get(name);
    if (operation) return operation;
    throw new TargetError(
      'rejected',
      `entity ${this.name} has no operation ${name}; say under operations: what is sent`,
    );
  }

  /** The id of an entry, as the service knows it. */
  idIn(remoteId: string): string {
    return remoteId.startsWith(`${this.name}/`) ? remoteId.slice(this.name.length + 1) : remoteId;
  }

  remoteId(id: string): string {
    return `${this.name}/${id}`;
  }

  /** What placeholders stand for. `{id}` outside of the body is the id that the entry has. */
  scope(subject: Subject): Scope {
    const { id, newId = id, stableId, changed = {}, before, password, formerPassword } = subject;
    const { idPath } = this.mapping;
    const named: Attributes = idPath === undefined || newId === '' ? {} : { [idPath]: [newId] };
    const forms = this.#formsWith(idPath);
    const attributes = { ...this.#told(subject.attributes), ...named };
    const changes = { ...this.#told(changed), ...(newId === id ? {} : named) };
    const own: Readonly<Record<string, () => Json | undefined>> = {
      id: () => id || undefined,
      newId: () => newId || undefined,
      stableId: () => stableId,
      password: () => password,
      formerPassword: () => formerPassword,
      document: () => documentOf(attributes, forms),
      merge: () => mergePatch(changes, forms),
      patch: () => jsonPatch(changes, forms, before),
    };
    return (name) => {
      if (Object.hasOwn(own, name)) return own[name]?.();
      return jsonOf(name, attributes[name] ?? [], forms.get(name) ?? 'text');
    };
  }

  #formsWith(idPath: string | undefined): Forms {
    if (idPath === undefined || this.forms.has(idPath)) return this.forms;
    return new Map([...this.forms, [idPath, 'text' satisfies Form]]);
  }

  /** Members as the service knows them. */
  #told(attributes: Attributes): Attributes {
    return this.#eachReference(attributes, (value, ref) => {
      return [this.#refersBy === 'remote id' && value.startsWith(`${ref}/`) ? value.slice(ref.length + 1) : value];
    });
  }

  #eachReference(attributes: Attributes, convert: (value: string, ref: string) => readonly string[]): Attributes {
    return Object.fromEntries(
      Object.entries(attributes).map(([name, values]) => {
        const attribute = this.mapping.attributes[name];
        if (attribute?.kind !== 'reference') return [name, values] as const;
        return [
          name,
          values.flatMap((value: Value) => (typeof value === 'string' ? convert(value, attribute.ref) : [])),
        ] as const;
      }),
    );
  }

  /** The names of its reference attributes. */
  get references(): string[] {
    return Object.entries(this.mapping.attributes).flatMap(([name, { kind }]) => (kind === 'reference' ? [name] : []));
  }

  /** An entry as it stands in an answer. `known`: where it was looked for, in case it does not say so itself. */
  state(
    item: Json,
    names: readonly string[],
    known: Pick<RemoteState, 'remoteId' | 'stableId'> | undefined,
  ): RemoteState {
    const { idPath, stableId: locator } = this.mapping;
    const [id] = idPath === undefined ? [] : valuesOf(at(item, this.#place(idPath)));
    const remoteId = id === undefined ? known?.remoteId : this.remoteId(id);
    if (remoteId === undefined) {
      const message = `an entry of ${this.name} does not say its id at ${idPath ?? 'idPath, which is not given'}`;
      throw new TargetError('unknown', message);
    }
    const [said] = typeof locator === 'string' ? valuesOf(at(item, locator)) : [];
    const stableId = said ?? known?.stableId;
    const read = Object.fromEntries(
      names.map((name) => [name, valuesAs(at(item, this.#place(name)), this.forms.get(name) ?? 'text')] as const),
    );
    const attributes = this.#eachReference(read, (value, ref) => [
      this.#refersBy === 'remote id' ? `${ref}/${value}` : value,
    ]);
    const present = Object.entries(attributes).filter(([, values]) => values.length > 0);
    return {
      remoteId,
      ...(stableId === undefined ? {} : { stableId }),
      attributes: Object.fromEntries(present),
    };
  }

  #place(path: string): string {
    return this.mapping.places[path] ?? pointerOf(path.split('.'));
  }

  /** Where the answer to a change says what stable id the entry has. */
  stableIdIn(answer: WebAnswer, locator: Locator | undefined = this.mapping.stableId): string | undefined {
    if (locator === undefined) return undefined;
    if (typeof locator === 'string') return valuesOf(at(contentOf(answer), locator))[0];
    const value = answer.headers.get(locator.header.toLowerCase());
    const path = value === undefined ? undefined : URL.parse(value, answer.url)?.pathname;
    const last = (path ?? '').replace(/\/$/, '').split('/').at(-1);
    return last === undefined || last === '' ? undefined : decodeURIComponent(last);
  }

  /** Values that nobody may see again. */
  secretsIn(...all: readonly Attributes[]): string[] {
    return all.flatMap((attributes) =>
      Object.entries(attributes).flatMap(([name, values]) => {
        const attribute = this.mapping.attributes[name];
        const isSecret = attribute !== undefined && attribute.kind !== 'reference' && attribute.secret;
        return isSecret ? values.map((value) => (typeof value === 'string' ? value : value.base64)) : [];
      }),
    );
  }
}

/** What is made only if there is none fails on this condition where there is one. */
function withCondition(config: OperationConfig & { readonly ifNoneMatch?: true | undefined }): OperationConfig {
  return config.ifNoneMatch === true ? { ...config, status: { 412: 'exists', ...config.status } } : config;
}

/** What an operation does where it is not said. */
function usual(name: string, config: { readonly json?: unknown }): { method: string; json?: string } {
  const isWhole = config.json === 'whole';
  const known = Object.entries(methods).find(([operation]) => operation === name);
  const method = name === 'update' && isWhole ? 'PUT' : (known?.[1] ?? 'POST');
  if ('form' in config || 'xml' in config || config.json !== undefined) return { method };
  const body: Readonly<Record<string, string>> = { create: 'whole', save: 'whole', update: 'merge' };
  const json = body[name];
  return json === undefined ? { method } : { method, json };
}
