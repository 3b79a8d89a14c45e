/** What no schema can tell of an `http` target: whether its operations fit each other, and what they are to lead to. */
import { quote } from './form.ts';
import type { HttpConfig, HttpMapping } from './http.ts';
import { checkHttpOperation, checkPointer, type Known } from './http-operation-check.ts';
import { nearest } from './nearest.ts';
import type { Path, Problem } from './problem.ts';

/** `above`: where the target stands. */
export function checkHttp(target: HttpConfig, above: Path): Problem[] {
  const entities = Object.entries(target.entities);
  return entities.flatMap(([name, mapping]) => {
    const here = [...above, 'entities', name];
    return [
      ...checkOperations(mapping, here),
      ...checkNeeded(mapping, here),
      ...checkIds(mapping, here),
      ...checkDisable(mapping, here),
      ...checkMembers(mapping, target, here),
      ...checkAlike(name, target, here),
    ];
  });
}

function checkOperations(mapping: HttpMapping, here: Path): Problem[] {
  const { batch, operations, stableId } = mapping;
  const { idPath } = mapping;
  const attributes = [...new Set([...Object.keys(mapping.attributes), ...(idPath === undefined ? [] : [idPath])])];
  const ids = ['id', ...(stableId === undefined ? [] : ['stableId'])];
  const documents = ['document', 'merge', 'patch'];
  const known: Readonly<Record<keyof typeof operations, readonly string[]>> = {
    create: ['id', 'newId', ...documents, ...attributes],
    save: ['id', 'newId', ...documents, ...attributes],
    update: [...ids, 'newId', ...documents, ...attributes],
    rename: [...ids, 'newId', ...documents, ...attributes],
    remove: [...ids, ...attributes],
    disable: [...ids, ...documents, ...attributes],
    enable: [...ids, ...documents, ...attributes],
    password: [...ids, 'password', 'formerPassword', ...attributes],
    read: ids,
    find: ['id', ...attributes],
    list: [],
  };
  const all = Object.entries(operations).flatMap(([name, operation]) => {
    if (operation === undefined) return [];
    const [, names = []] = Object.entries(known).find(([key]) => key === name) ?? [];
    const given: Known = { names, hasBatch: batch !== undefined };
    return checkHttpOperation(operation, given, [...here, 'operations', name]);
  });
  const batched =
    batch === undefined ? [] : checkHttpOperation(batch, { names: ['items'], hasBatch: false }, [...here, 'batch']);
  const unknown = Object.keys(mapping.places).filter((name) => !attributes.includes(name));
  const places = Object.entries(mapping.places).flatMap(([name, pointer]) =>
    checkPointer(pointer, [...here, 'places', name]),
  );
  const id = typeof stableId === 'string' ? checkPointer(stableId, [...here, 'stableId']) : [];
  return [
    ...all,
    ...batched,
    ...places,
    ...id,
    ...unknown.map((name) => notAttribute(name, attributes, [...here, 'places', name])),
  ];
}

function notAttribute(name: string, attributes: readonly string[], path: Path): Problem {
  const near = nearest(name, attributes);
  const hint = near === undefined ? '' : `; did you mean ${quote(near)}?`;
  return { path, at: 'key', message: `found ${quote(name)}, expected one of the attributes${hint}` };
}

/** What identities of the mapping lead to, sooner or later. */
function checkNeeded({ deprovision, match, operations }: HttpMapping, here: Path): Problem[] {
  const path = [...here, 'operations'];
  const problem = (message: string): Problem[] => [{ path, at: 'key', message }];
  const isSaved = operations.save !== undefined;
  return [
    ...(isSaved && (operations.create ?? operations.update)
      ? problem('found save beside create or update, expected it alone')
      : []),
    ...(isSaved || operations.create ? [] : problem('expected create and update, or save, which is both')),
    ...(isSaved || operations.update ? [] : problem('expected update, or save in place of create')),
    ...(deprovision.some((step) => step.do === 'delete') && !operations.remove
      ? problem('expected remove: `deprovision:` leads to delete')
      : []),
    ...(match !== undefined && !operations.find && !operations.list
      ? problem('expected find or list: `match:` has nowhere to look')
      : []),
  ];
}

function checkIds({ idPath, operations, stableId }: HttpMapping, here: Path): Problem[] {
  const listing = (['find', 'list'] as const).filter((name) => operations[name] !== undefined);
  const paths = Object.values(operations).map((operation) => operation?.path ?? '');
  const seeks = stableId !== undefined && paths.some((path) => path.includes('{stableId}'));
  return [
    ...(idPath === undefined
      ? listing.map(
          (name): Problem => ({
            path: [...here, 'operations', name],
            at: 'key',
            message: 'expected `idPath:` to say where the id stands in an entry that is found',
          }),
        )
      : []),
    ...(seeks && operations.read !== undefined && listing.length === 0
      ? [
          {
            path: [...here, 'operations'],
            at: 'key' as const,
            message: 'expected find or list: an entry whose {stableId} nobody could record is looked for by its id',
          },
        ]
      : []),
  ];
}

/** Who has left the view is known by what was last written: no secrets, and nothing long. */
function checkDisable({ attributes, deprovision, disable, operations }: HttpMapping, here: Path): Problem[] {
  if (!deprovision.some((step) => step.do === 'disable') || operations.disable !== undefined) return [];
  const { update } = operations;
  const form = update?.json ?? ((update?.form ?? update?.xml) ? 'given' : 'merge');
  const writesWhole = operations.save !== undefined || !['merge', 'patch'].some((name) => name === form);
  const message =
    'expected operations.disable: what `update` or `save` writes is whole, and of who has left not everything is known';
  const unknown = Object.keys(disable?.attributes ?? {}).filter((name) => !(name in attributes));
  return [
    ...(writesWhole ? [{ path: [...here, 'deprovision'], message }] : []),
    ...unknown.map((name) => notAttribute(name, Object.keys(attributes), [...here, 'disable', 'attributes', name])),
  ];
}

function checkMembers(
  { attributes, operations }: HttpMapping,
  { entities, refersBy }: HttpConfig,
  here: Path,
): Problem[] {
  return Object.entries(attributes).flatMap(([name, attribute]): Problem[] => {
    if (attribute.kind !== 'reference') return [];
    const path = [...here, 'attributes', name];
    const of = entities[attribute.ref];
    return [
      ...(operations.read
        ? []
        : [{ path, message: 'expected operations.read: members come and go among those that are there' }]),
      ...(refersBy === 'stable id' && of !== undefined && of.stableId === undefined
        ? [
            {
              path: [...path, 'ref'],
              message: `expected \`stableId:\` of ${attribute.ref}: members stand there by it (refersBy)`,
            },
          ]
        : []),
    ];
  });
}

/** A target can read and list what is in it, or it cannot. */
function checkAlike(name: string, { entities }: HttpConfig, here: Path): Problem[] {
  return (['read', 'list'] as const).flatMap((operation): Problem[] => {
    const other = Object.entries(entities).find(([, of]) => of.operations[operation] !== undefined)?.[0];
    if (other === undefined || entities[name]?.operations[operation] !== undefined) return [];
    const message = `expected ${operation} here, too, as ${other} has it: all entities of a target, or none`;
    return [{ path: [...here, 'operations'], at: 'key', message }];
  });
}
