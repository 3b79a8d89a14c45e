/**
 * The `http` target: any service that is asked over HTTP. What is sent for each operation is said in staffetta.yml; what
 * the service can tell of its entries – one, those that match, all – decides what Staffetta can do with it.
 */
import type { HttpConfig } from '../../config/http.ts';
import { shownUrl } from '../../config/shown-url.ts';
import { asideMark } from '../aside-mark.ts';
import { canonical } from '../document.ts';
import { sameValues } from '../same-values.ts';
import {
  type Applied,
  type Change,
  type Health,
  type Match,
  type Password,
  type RemoteState,
  type Target,
  TargetError,
  type Value,
  type Whole,
} from '../target.ts';
import { WebClient } from '../web/client.ts';
import { failure } from '../web/failure.ts';
import { Entity } from './entity.ts';
import { Idempotency } from './idempotency.ts';
import { Reader } from './reader.ts';
import { asideOf, Writer } from './writer.ts';

export class HttpTarget implements Target {
  readonly whole = true;
  readonly find?: NonNullable<Target['find']>;
  readonly read?: NonNullable<Target['read']>;
  readonly scan?: NonNullable<Target['scan']>;
  readonly setPassword?: NonNullable<Target['setPassword']>;
  readonly #config: HttpConfig;
  readonly #client: WebClient;
  readonly #reader: Reader;
  readonly #writer: Writer;
  readonly #entities: ReadonlyMap<string, Entity>;

  /** `folder`: where relative file names of the configuration begin. */
  constructor(config: HttpConfig, folder: string) {
    this.#config = config;
    this.#client = new WebClient(config, folder);
    this.#reader = new Reader(this.#client, (remoteId) => this.normalise(remoteId));
    this.#writer = new Writer(this.#client, this.#reader, new Idempotency(config.idempotencyKey));
    this.#entities = new Map(
      Object.entries(config.entities).map(([name, mapping]) => [name, new Entity(name, mapping, config)] as const),
    );
    const all = [...this.#entities.values()];
    const offers = (name: 'find' | 'read' | 'list') => all.length > 0 && all.every((entity) => entity.operation(name));
    if (offers('read')) this.read = this.#read;
    if (offers('list')) this.scan = this.#scan;
    if (all.some((entity) => entity.operation('find'))) this.find = this.#find;
    if (all.some((entity) => entity.operation('password'))) this.setPassword = this.#setPassword;
  }

  /** Asks what `ping:` says; else the URL, of which any answer will do but a refusal or a breakdown. */
  async ping(signal: AbortSignal): Promise<Health> {
    const { ping, url } = this.#config;
    const { method, path } = ping ?? { method: 'HEAD', path: '' };
    const what = 'ask whether it is there';
    const answer = await this.#client.ask({ method, path, what }, signal);
    const isUsual = answer.status < 400 || [400, 404, 405, 406].includes(answer.status);
    const isWell = ping === undefined ? isUsual : answer.status === ping.status;
    if (!isWell) throw failure(answer, what, ping === undefined || answer.status >= 300 ? undefined : 'unknown');
    const shown = shownUrl(url);
    return { summary: `${shown} answers ${answer.status}`, identity: this.#config.identity ?? shown };
  }

  apply(change: Change, signal: AbortSignal, whole?: Whole): Promise<Applied> {
    return this.#writer.apply(this.#entity(change.entity), change, whole, signal);
  }

  #setPassword: NonNullable<Target['setPassword']> = async (
    { entity: name, remoteId, stableId },
    password: Password,
    signal,
    { desired, written },
  ) => {
    const entity = this.#entity(name);
    const subject = { id: entity.idIn(remoteId), stableId, attributes: desired ?? written };
    await this.#writer.setPassword(entity, subject, password, signal);
  };

  #entity(name: string): Entity {
    const entity = this.#entities.get(name);
    if (entity) return entity;
    throw new TargetError('misconfigured', `the target has no entity ${name}`);
  }

  normalise(remoteId: string): string {
    return this.#config.caseSensitive ? remoteId : remoteId.toLowerCase();
  }

  normaliseReference(value: string): string {
    return this.#config.refersBy === 'stable id' ? value : this.normalise(value);
  }

  /** As they stand in the document: `t` and `TRUE` are the same boolean, `1` and `1.0` the same number. */
  same(attribute: string, left: readonly Value[], right: readonly Value[]): boolean {
    const forms = [...this.#entities.values()].flatMap(({ forms }) => forms.get(attribute) ?? []);
    const [form = 'text', ...others] = new Set(forms);
    return sameValues(left, right, (value) => canonical(value, others.length > 0 ? 'text' : form));
  }

  aside(remoteId: string, key: string): string {
    return asideOf(remoteId.split('/')[0] ?? '', asideMark(key));
  }

  #find: NonNullable<Target['find']> = async (
    matches: readonly Match[],
    attributes: readonly string[],
    signal: AbortSignal,
  ) => {
    const found = [...Map.groupBy(matches, ({ entity }) => entity)].map(([name, some]) => {
      const entity = this.#entity(name);
      return entity.operation('find') ? this.#reader.find(entity, some, attributes, signal) : [];
    });
    return new Map((await Promise.all(found)).flat());
  };

  #read: NonNullable<Target['read']> = async ({ remoteId, stableId }, attributes, signal) => {
    const entity = this.#entity(remoteId.split('/')[0] ?? '');
    return this.#reader.read(entity, { id: entity.idIn(remoteId), stableId }, attributes, signal);
  };

  #scan = (entity: string, attributes: readonly string[], signal: AbortSignal): AsyncIterable<RemoteState> =>
    this.#reader.scan(this.#entity(entity), attributes, signal);

  close(): Promise<void> {
    return this.#client.close();
  }
}
