/** Checks one operation of an `http` target by itself. */
import { quote } from './form.ts';
import type {
  BatchConfig,
  ListingConfig,
  Locator,
  OperationConfig,
  PagesConfig,
  WriteConfig,
} from './http-operation.ts';
import { templatesOf } from './http-templates.ts';
import { nearest } from './nearest.ts';
import type { Path, Problem } from './problem.ts';

/** What an operation may refer to. */
export interface Known {
  /** The placeholders that stand for something. */
  readonly names: readonly string[];
  readonly hasBatch: boolean;
}

type Any = OperationConfig &
  Partial<Pick<WriteConfig, 'batch'>> &
  Partial<Pick<ListingConfig, 'items' | 'total' | 'pages'>> &
  Partial<Pick<BatchConfig, 'results' | 'result' | 'message' | 'key'>> & {
    readonly item?: string;
    readonly stableId?: Locator | undefined;
  };

/** `above`: where the operation stands. */
export function checkHttpOperation(operation: Any, known: Known, above: Path): Problem[] {
  const { placeholders, problems } = templatesOf(operation, above);
  return [
    ...problems,
    ...placeholders
      .filter(({ name }) => !known.names.includes(name))
      .map(({ name, path }) => unknownName(name, known, path)),
    ...checkBody(operation, above),
    ...checkStatus(operation, known, above),
    ...checkPointers(operation, above),
    ...checkHeaders(operation, above),
    ...checkBatch(operation, known, above),
  ];
}

function unknownName(name: string, { names }: Known, path: Path): Problem {
  const near = nearest(name, names);
  const hint = near === undefined ? '' : `; did you mean {${near}}?`;
  const expected =
    names.length === 0
      ? 'no placeholder: nothing is known here'
      : `one of ${names.map((one) => `{${one}}`).join(', ')}`;
  return { path, message: `found {${name}}, expected ${expected}${hint}` };
}

function checkBody({ json, form, xml }: Any, above: Path): Problem[] {
  const given = Object.entries({ json, form, xml }).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  const [, second] = given;
  if (second === undefined) return [];
  return [{ path: [...above, second], at: 'key', message: `found ${given.join(' and ')}, expected one body` }];
}

function checkStatus({ status, results, batch }: Any, { hasBatch }: Known, above: Path): Problem[] {
  // Results of a batch may have words for it.
  if (results !== undefined || (batch === true && hasBatch)) return [];
  return Object.keys(status)
    .filter((key) => !/^[1-5](\d\d|xx)$/.test(key))
    .map((key) => ({
      path: [...above, 'status', key],
      at: 'key',
      message: `found ${quote(key)}, expected a status such as 409, or 4xx for all that begin so`,
    }));
}

function checkPointers(
  { item, items, key, message, pages, result, results, stableId, total }: Any,
  above: Path,
): Problem[] {
  const given: readonly (readonly [unknown, ...string[]])[] = [
    [item, 'item'],
    [items, 'items'],
    [total, 'total'],
    [results, 'results'],
    [result, 'result'],
    [message, 'message'],
    [stableId, 'stableId'],
    [key?.sent, 'key', 'sent'],
    [key?.answered, 'key', 'answered'],
    ...pointersIn(pages),
  ];
  return given.flatMap(([pointer, ...place]) =>
    typeof pointer === 'string' ? checkPointer(pointer, [...above, ...place]) : [],
  );
}

function pointersIn(pages: PagesConfig | undefined): (readonly [string, ...string[]])[] {
  if (pages === undefined) return [];
  if ('next' in pages) return [[pages.next, 'pages', 'next']];
  return 'url' in pages ? [[pages.url, 'pages', 'url']] : [];
}

/** A JSON pointer (RFC 6901 §3). */
export function checkPointer(pointer: string, path: Path): Problem[] {
  if (pointer === '' || /^(\/([^~/]|~[01])*)+$/.test(pointer)) return [];
  return [{ path, message: `found ${quote(pointer)}, expected a JSON pointer such as /items or /user/id` }];
}

function checkHeaders({ headers }: Any, above: Path): Problem[] {
  return Object.keys(headers)
    .filter((name) => !/^[\w!#$%&'*+.^`|~-]+$/.test(name))
    .map((name) => ({
      path: [...above, 'headers', name],
      at: 'key',
      message: `found ${quote(name)}, expected the name of a header`,
    }));
}

function checkBatch({ batch, form, json, results, xml }: Any, { hasBatch }: Known, above: Path): Problem[] {
  const place: Path = [...above, 'batch'];
  return [
    ...(batch === true && !hasBatch
      ? [{ path: place, message: 'expected `batch:` of the entity to say how changes go together' }]
      : []),
    ...(batch === true && (form ?? xml) !== undefined
      ? [{ path: place, message: 'found it beside form or xml, expected json' }]
      : []),
    ...(results !== undefined && !JSON.stringify(json ?? '').includes('"{items}"')
      ? [{ path: [...above, 'json'], message: 'expected a structure with "{items}" where the changes go' }]
      : []),
  ];
}
