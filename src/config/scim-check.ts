/** What no schema can tell of a `scim` target: whether the paths of its mappings fit each other. */
import { quote } from './form.ts';
import type { Path, Problem } from './problem.ts';
import type { ScimConfig, ScimMapping } from './scim.ts';
import { isSameName, parseScimPath, type ScimPath, ScimPathError } from './scim-path.ts';

/** What a service says itself of every resource (RFC 7643 §3.1, §4.1.2). */
const given = ['id', 'meta', 'schemas', 'groups'];

/** Checks the mappings of a target. */
export function checkScim({ entities }: ScimConfig, above: Path): Problem[] {
  const mappings = Object.entries(entities);
  return mappings.flatMap(([entity, mapping], index) => {
    const place = [...above, 'entities', entity];
    const other = mappings
      .slice(0, index)
      .find(
        ([, { resource, naming }]) => isSameName(resource, mapping.resource) && !isSameName(naming, mapping.naming),
      );
    return [
      ...checkPaths(mapping, place),
      ...checkPassword(mapping, place),
      ...(other === undefined ? [] : [twoNamings(mapping, other, place)]),
    ];
  });
}

function twoNamings(
  { resource, naming }: ScimMapping,
  [entity, other]: readonly [string, ScimMapping],
  place: Path,
): Problem {
  const message = `${resource} is named by ${naming} here, and by ${other.naming} as ${entity}; expected the same: a service has one name for each`;
  return { path: place, at: 'key', message };
}

function checkPaths({ attributes, naming, match = {}, disable }: ScimMapping, above: Path): Problem[] {
  const places: Path[] = [
    ...Object.keys(attributes).map((name) => [...above, 'attributes', name]),
    ...Object.keys(match).map((name) => [...above, 'match', name]),
    ...Object.keys(disable?.attributes ?? {}).map((name) => [...above, 'disable', 'attributes', name]),
  ];
  const unreadable = places.flatMap((path) => mistakeIn(String(path.at(-1)), path));
  const names = Object.keys(attributes).flatMap((name): [string, ScimPath][] => {
    const path = readable(name);
    return path === undefined ? [] : [[name, path]];
  });
  const unfit = names.flatMap(([name, path]): Problem[] => {
    const problem = (message: string): Problem => ({ path: [...above, 'attributes', name], at: 'key', message });
    if (isSameName(name, naming)) return [problem(`found ${quote(name)}, which is what \`id:\` says; leave it out`)];
    if (path.schema === undefined && given.some((own) => isSameName(own, path.attribute)))
      return [problem(`found ${quote(name)}, which the service gives itself; leave it out`)];
    const inner = names.find(([, other]) => other !== path && isWithin(other, path));
    if (inner === undefined) return [];
    return [
      problem(`found a value for ${quote(name)}, while ${quote(inner[0])} stands inside it; expected one of the two`),
    ];
  });
  return [...unreadable, ...unfit];
}

/** Whether one path leads to a part of what another one stands for as a whole. */
function isWithin(inner: ScimPath, outer: ScimPath): boolean {
  if (!isSameName(inner.schema, outer.schema) || !isSameName(inner.attribute, outer.attribute)) return false;
  if (outer.filter.length > 0) return false;
  return outer.sub === undefined ? inner.sub !== undefined || inner.filter.length > 0 : inner.filter.length > 0;
}

function checkPassword({ password, attributes }: ScimMapping, above: Path): Problem[] {
  const own = Object.entries(attributes).find(
    ([name, { kind, ...rest }]) =>
      isSameName(name, 'password') && (kind === 'reference' || !('policy' in rest) || rest.policy !== 'initial'),
  );
  if (password === undefined || own === undefined) return [];
  const message = `${own[0]} is written from the view, too, which would take back what was handed over: expected \`policy: initial\` for it, or only one of the two`;
  return [{ path: [...above, 'password'], message }];
}

function mistakeIn(name: string, path: Path): Problem[] {
  try {
    parseScimPath(name);
    return [];
  } catch (error) {
    if (!(error instanceof ScimPathError)) throw error;
    return [{ path, at: 'key', message: `found ${quote(name)}, ${error.message}` }];
  }
}

function readable(name: string): ScimPath | undefined {
  return mistakeIn(name, []).length === 0 ? parseScimPath(name) : undefined;
}
