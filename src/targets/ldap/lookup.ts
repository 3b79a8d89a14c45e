/** Searches that hooks ask for. They prove nothing: what is not found may only not be shown. */
import { AndFilter, EqualityFilter, type Filter, FilterParser } from 'ldapts';
import { type RemoteState, type SearchFilter, type SearchOptions, TargetError } from '../target.ts';
import { LdapError } from './errors.ts';
import type { Session } from './session.ts';
import { stateOf } from './state.ts';

/** Entries that are enough, unless somebody says otherwise. */
const enough = 100;

/** See `Target.search`. Throws `rejected` for what is no filter. */
export async function lookUp(
  session: Session,
  wanted: SearchFilter,
  { base, scope = 'sub', attributes = [], limit = enough }: SearchOptions,
  signal: AbortSignal,
): Promise<RemoteState[]> {
  const filter = filterOf(wanted);
  const directory = await session.directory(signal);
  try {
    const query = { base: base ?? session.root(directory), scope, filter, attributes, enough: limit };
    const found = await session.search(query, signal);
    return found.map((one) => stateOf(directory, one, attributes, undefined));
  } catch (error) {
    if (error instanceof LdapError && error.code === 32) return [];
    throw error;
  }
}

function filterOf(wanted: SearchFilter): Filter {
  if (typeof wanted !== 'string')
    return new AndFilter({
      filters: Object.entries(wanted).map(([attribute, value]) => new EqualityFilter({ attribute, value })),
    });
  try {
    return FilterParser.parseString(wanted);
  } catch (error) {
    throw new TargetError('rejected', `expected a filter such as (uid=ada), found ${wanted}`, { cause: error });
  }
}
