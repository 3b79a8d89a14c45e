/**
 * Reading entries. Not to see an entry is one thing, to know that it is not there another: absence is only claimed where
 * a search as a bound account was refused with noSuchObject, something above the entry was shown, and, for an entry with
 * a stable id, a search for that id – of a kind shown to work – found nothing anywhere.
 */
import { AndFilter, EqualityFilter, type Filter, OrFilter } from 'ldapts';
import type { LdapMapping } from '../../config/ldap.ts';
import { mappingOf } from '../mapping-of.ts';
import { type Address, type Attributes, type Match, type RemoteState, TargetError } from '../target.ts';
import { basesOf } from './base.ts';
import { valueKey } from './compare.ts';
import { contextOf, type Directory } from './directory.ts';
import { formatDn, normaliseDn, parentDn, parseDn } from './dn.ts';
import { LdapError } from './errors.ts';
import type { Found, Query } from './search.ts';
import type { Session } from './session.ts';
import { writeStableId } from './stable-id.ts';
import { creator, stateOf } from './state.ts';
import { isEmpty, toBytes } from './value.ts';

/** Questions in one search. */
const atOnce = 100;

export class Reader {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  /** See `Target.read`. */
  async read(
    { remoteId, stableId }: Address,
    attributes: readonly string[],
    signal: AbortSignal,
  ): Promise<RemoteState | undefined> {
    const named = await this.entry(remoteId, attributes, signal);
    if (named !== undefined && (stableId === undefined || named.stableId === stableId)) return named;
    if (stableId !== undefined) {
      const moved = await this.byStableId(stableId, remoteId, attributes, signal);
      if (moved !== undefined) return moved;
    }
    if (named === undefined) await this.#proveAbsence(remoteId, signal);
    return named;
  }

  /** The entry of this name; undefined where the server says that there is none, which proves nothing yet. */
  async entry(dn: string, attributes: readonly string[], signal: AbortSignal): Promise<RemoteState | undefined> {
    const directory = await this.#session.directory(signal);
    try {
      const query: Query = { base: dn, scope: 'base', attributes: asked(directory, attributes) };
      const [found] = await this.#session.search(query, signal);
      if (found !== undefined) return this.#stateOf(directory, found, attributes);
    } catch (error) {
      if (error instanceof LdapError && error.code === 32) return undefined;
      throw error;
    }
    const message = `the server does not show ${dn} to the account that Staffetta binds as. Grant it the right to read`;
    throw new TargetError('one-sided', message);
  }

  /** The entry with a stable id, in the tree that holds `near`; undefined if there is none. */
  async byStableId(
    stableId: string,
    near: string,
    attributes: readonly string[],
    signal: AbortSignal,
  ): Promise<RemoteState | undefined> {
    const directory = await this.#session.directory(signal);
    const attribute = directory.stableId;
    const base = contextOf(directory, near);
    if (attribute === undefined || base === undefined) return undefined;
    const value = writeStableId(attribute, stableId);
    const filter = new EqualityFilter({ attribute, value });
    const [found] = await this.#session.search(
      { base, scope: 'sub', filter, attributes: asked(directory, attributes) },
      signal,
    );
    if (found !== undefined) return this.#stateOf(directory, found, attributes);
    await this.#trySearchByStableId(directory, base, signal);
    return undefined;
  }

  /** See `Target.find`. */
  async find(
    matches: readonly Match[],
    attributes: readonly string[],
    signal: AbortSignal,
  ): Promise<Map<string, RemoteState[]>> {
    const directory = await this.#session.directory(signal);
    const answers = new Map<string, RemoteState[]>();
    const askable = matches.filter(({ where }) => Object.keys(where).length > 0 && !Object.values(where).some(isEmpty));
    for (const [entity, own] of Map.groupBy(askable, (match) => match.entity)) {
      for (const base of basesOf(this.#mapping(entity), directory.contexts)) {
        for (let from = 0; from < own.length; from += atOnce) {
          await this.#findSome(directory, base, own.slice(from, from + atOnce), attributes, answers, signal);
        }
      }
    }
    return answers;
  }

  /** See `Target.scan`: everything below the bases of an entity that has its constant object classes. */
  async *scan(
    entity: string,
    attributes: readonly string[],
    signal: AbortSignal,
  ): AsyncGenerator<RemoteState, void, undefined> {
    this.#mustBeBound();
    const directory = await this.#session.directory(signal);
    const mapping = this.#mapping(entity);
    const filter = filterOf(mapping);
    const bases = basesOf(mapping, directory.contexts);
    for (const base of bases) {
      const query: Query = { base, scope: 'sub', attributes: asked(directory, attributes), ...(filter && { filter }) };
      const self = normaliseDn(base);
      try {
        for await (const found of this.#session.scan(query, signal)) {
          if (normaliseDn(found.dn) !== self) yield this.#stateOf(directory, found, attributes);
        }
      } catch (error) {
        if (!(error instanceof LdapError) || error.code !== 32) throw error;
        // A place for disabled entries need not exist before the first of them.
        if (base === bases[0])
          throw new TargetError('misconfigured', `${error.message}. Add it, or grant the right to read it`);
        await this.#proveAbsence(base, signal);
      }
    }
  }

  #stateOf(directory: Directory, found: Found, attributes: readonly string[]): RemoteState {
    return stateOf(directory, found, attributes, this.#session.config.bind?.dn);
  }

  #mapping(entity: string): LdapMapping {
    return mappingOf(this.#session.config, entity);
  }

  async #findSome(
    directory: Directory,
    base: string,
    matches: readonly Match[],
    attributes: readonly string[],
    answers: Map<string, RemoteState[]>,
    signal: AbortSignal,
  ): Promise<void> {
    const { schema } = directory;
    const names = [...new Set(matches.flatMap(({ where }) => Object.keys(where)))];
    const strange = names.find((name) => !schema.knows(name));
    // A filter on an unknown attribute finds nothing, without an error (RFC 4511 §4.5.1.7).
    if (strange !== undefined)
      throw new TargetError('misconfigured', `match: the server knows no attribute ${strange}`);
    const filter = new OrFilter({ filters: matches.map((match) => questionOf(match)) });
    const wanted = [...new Set([...attributes, ...names])];
    const query: Query = { base, scope: 'sub', filter, attributes: asked(directory, wanted) };
    const entries = await this.#answers(query, matches.length, signal);
    if (entries === undefined) {
      const half = Math.ceil(matches.length / 2);
      for (const part of [matches.slice(0, half), matches.slice(half)]) {
        await this.#findSome(directory, base, part, attributes, answers, signal);
      }
      return;
    }
    for (const found of entries) {
      const whole = this.#stateOf(directory, found, wanted);
      const state = { ...whole, attributes: only(whole.attributes, attributes) };
      for (const match of matches) {
        const fits = Object.entries(match.where).every(([name, value]) => {
          const key = valueKey(schema, name, value);
          return (whole.attributes[name] ?? []).some((other) => valueKey(schema, name, other) === key);
        });
        if (fits) answers.set(match.key, [...(answers.get(match.key) ?? []), state]);
      }
    }
  }

  /**
   * What a search for so many questions finds: nothing below a base that is not there; undefined for several questions
   * with more answers than the server gives at once; for one such question two answers, which is too many already.
   */
  async #answers(query: Query, questions: number, signal: AbortSignal): Promise<Found[] | undefined> {
    try {
      return await this.#session.search(query, signal);
    } catch (error) {
      if (!(error instanceof LdapError)) throw error;
      if (error.code === 32) return [];
      if (error.code !== 4) throw error;
      return questions > 1 ? undefined : this.#session.search({ ...query, enough: 2 }, signal);
    }
  }

  /** Climbs to the nearest entry above that is shown to us. */
  async #proveAbsence(dn: string, signal: AbortSignal): Promise<void> {
    this.#mustBeBound();
    for (let above = parentDn(parseDn(dn)); above !== undefined && above.length > 0; above = parentDn(above)) {
      if ((await this.entry(formatDn(above), [], signal)) !== undefined) return;
    }
    const message = `the server shows nothing above ${dn}, so that it cannot be told from an entry that we may not see`;
    throw new TargetError(
      'misconfigured',
      `${message}. Grant the account that Staffetta binds as the right to read there`,
    );
  }

  #mustBeBound(): void {
    if (this.#session.config.bind !== undefined) return;
    const message = 'what a server does not show to nobody may still be there: give the target an account to bind as';
    throw new TargetError('misconfigured', message);
  }

  /** The root of a tree must be found by its own stable id, or the search for any other says nothing. */
  async #trySearchByStableId(directory: Directory, base: string, signal: AbortSignal): Promise<void> {
    const attribute = directory.stableId;
    const root = await this.entry(base, [], signal);
    if (attribute !== undefined && root?.stableId !== undefined) {
      const filter = new EqualityFilter({ attribute, value: writeStableId(attribute, root.stableId) });
      if ((await this.#session.search({ base, scope: 'base', filter, attributes: [] }, signal)).length > 0) return;
    }
    const message = `entries below ${base} cannot be found by ${attribute}, so that one that moved looks like one that is gone`;
    throw new TargetError(
      'misconfigured',
      `${message}. Grant the account that Staffetta binds as the right to search by it`,
    );
  }
}

/** What to ask for, so that the stable id and the creator come with it. */
function asked({ stableId }: Directory, attributes: readonly string[]): string[] {
  return [...attributes, creator, ...(stableId === undefined ? [] : [stableId])];
}

function questionOf({ where }: Match): Filter {
  const filters = Object.entries(where).map(
    ([attribute, value]) => new EqualityFilter({ attribute, value: toBytes(value) }),
  );
  const [only, ...others] = filters;
  return only !== undefined && others.length === 0 ? only : new AndFilter({ filters });
}

/** The constant object classes of an entity, undefined if it has none. */
function filterOf(mapping: LdapMapping): Filter | undefined {
  const [, classes] =
    Object.entries(mapping.attributes ?? {}).find(([name]) => name.toLowerCase() === 'objectclass') ?? [];
  if (classes?.kind !== 'values') return undefined;
  return new AndFilter({
    filters: classes.values.map((value) => new EqualityFilter({ attribute: 'objectClass', value })),
  });
}

function only(attributes: Attributes, names: readonly string[]): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => names.includes(name)));
}
