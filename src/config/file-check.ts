/** What no schema can tell of a `file` target: whether its name, its fields and its marks fit each other. */
import { resolve } from 'node:path';
import type { FileConfig, PlainConfig } from './file.ts';
import { changesOnly, fieldsOf } from './file-fields.ts';
import { FileNameError, namesBy, parseFileName } from './file-name.ts';
import { quote } from './form.ts';
import type { Path, Problem } from './problem.ts';
import type { Config } from './schema.ts';

/** Checks a `file` target beyond what is checked of every target. */
export function checkFile(target: FileConfig, above: Path): Problem[] {
  const name = checkName(target, [...above, 'name']);
  if (target.format === 'ldif' || name.length > 0) return name;
  return [
    ...(target.content === 'snapshot' ? checkSnapshotFields(target, above) : []),
    ...(target.format === 'csv' ? checkMarks(target, above) : []),
    ...Object.keys(target.entities).flatMap((entity) => checkAttributes(target, entity, above)),
  ];
}

/** Each flow has a folder of its own: what is known of its entries stands there. */
export function checkFolders(config: Config): Problem[] {
  const flows = Object.entries(config.targets).flatMap(([name, target]) =>
    target.type === 'file' ? [{ name, folder: resolve(target.folder) }] : [],
  );
  return flows.flatMap(({ name, folder }, index): Problem[] => {
    const first = flows.slice(0, index).find((other) => other.folder === folder);
    if (first === undefined) return [];
    const message = `found the folder of target ${first.name}; expected another: each flow has one of its own`;
    return [{ path: ['targets', name, 'folder'], message }];
  });
}

function checkName(target: FileConfig, path: Path): Problem[] {
  const problem = (message: string): Problem[] => [{ path, message: `found ${quote(target.name)}, ${message}` }];
  try {
    parseFileName(target.name);
  } catch (error) {
    if (!(error instanceof FileNameError)) throw error;
    return problem(error.message);
  }
  if (target.content === 'changes' && !namesBy(target.name, 'sequence'))
    return problem('expected {sequence} in it: no file of changes may take the place of another');
  if (target.format === 'csv' && Object.keys(target.entities).length > 1 && !namesBy(target.name, 'entity'))
    return problem('expected {entity} in it: each entity has columns of its own, and so a file of its own');
  return [];
}

function checkSnapshotFields({ fields }: PlainConfig, above: Path): Problem[] {
  return changesOnly
    .filter((field) => typeof fields[field] === 'string')
    .map((field) => ({
      path: [...above, 'fields', field],
      at: 'key',
      message: 'a snapshot tells what is there, not what happened: expected it with `content: changes` only',
    }));
}

/** What separates and what marks must be told from each other. */
function checkMarks(target: Extract<FileConfig, { format: 'csv' }>, above: Path): Problem[] {
  const { delimiter, quote: mark, separator, escape: escaping } = target;
  const pairs = [
    ['quote', mark, 'delimiter', delimiter],
    ['separator', separator, 'quote', mark],
    ['escape', escaping, 'separator', separator],
  ] as const;
  const same = pairs.filter(([, one, , other]) => one === other);
  const breaks = Object.entries({ delimiter, quote: mark }).filter(([, character]) => /[\r\n]/.test(character));
  return [
    ...same.map(([key, one, other]) => ({
      path: [...above, key],
      message: `found ${quote(one ?? '')}, which is the ${other}, too; expected another character`,
    })),
    ...breaks.map(([key]) => ({ path: [...above, key], message: 'found a line break, expected another character' })),
  ];
}

function checkAttributes(target: PlainConfig, entity: string, above: Path): Problem[] {
  const mapping = target.entities[entity];
  const path = [...above, 'entities', entity];
  const names = Object.keys(mapping?.attributes ?? {});
  const fields = new Set(fieldsOf(target).map(([, name]) => name));
  const place = (name: string) => (target.format === 'csv' ? name : (name.split('.')[0] ?? ''));
  const taken = names.filter((name) => fields.has(place(name)));
  const numbers = names.filter((name) => target.format === 'csv' && /^(0|[1-9]\d*)$/.test(name));
  const unknown = Object.keys(mapping?.disable?.attributes ?? {}).filter((name) => !names.includes(name));
  return [
    ...taken.map(
      (name): Problem => ({
        path: [...path, 'attributes', name],
        at: 'key',
        message: `${quote(place(name))} is told of each record already; call that otherwise, or leave it out, under \`fields:\``,
      }),
    ),
    ...numbers.map(
      (name): Problem => ({
        path: [...path, 'attributes', name],
        at: 'key',
        message: 'expected a name that is not a whole number: such names lose their place among the columns',
      }),
    ),
    ...unknown.map(
      (name): Problem => ({
        path: [...path, 'disable', 'attributes', name],
        at: 'key',
        message: `expected one of the attributes above (${names.join(', ')}): nothing else has a place in the files`,
      }),
    ),
  ];
}
