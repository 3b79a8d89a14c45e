/** The templates of an operation of an `http` target: what they name, and whether they can be read at all. */
import { XMLValidator } from 'fast-xml-parser';
import type { OperationConfig } from './http-operation.ts';
import type { Path, Problem } from './problem.ts';
import { parseTemplate, TemplateError } from './template.ts';

/** A placeholder, and where it stands. */
export interface Placeholder {
  readonly name: string;
  readonly path: Path;
}

export interface Templates {
  readonly placeholders: readonly Placeholder[];
  readonly problems: readonly Problem[];
}

/** What `json:` may be instead of a structure. */
const named = ['whole', 'merge', 'patch'];

/** Reads every template of an operation; `above`: where it stands. */
export function templatesOf(operation: OperationConfig, above: Path): Templates {
  const { path, query, headers, json, form = {}, xml } = operation;
  const texts = [
    ...path.split('/').map((segment) => [segment, [...above, 'path']] as const),
    ...Object.entries(query).map(([name, text]) => [text, [...above, 'query', name]] as const),
    ...Object.entries(headers).map(([name, text]) => [text, [...above, 'headers', name]] as const),
    ...Object.entries(form).map(([name, text]) => [text, [...above, 'form', name]] as const),
    ...(typeof json === 'string' && named.includes(json) ? [] : textsIn(json, [...above, 'json'])),
    ...(xml === undefined ? [] : [[xml, [...above, 'xml']] as const]),
  ];
  const read = texts.map(([text, place]) => readTemplate(text, place));
  return {
    placeholders: read.flatMap(({ placeholders }) => placeholders),
    problems: [...read.flatMap(({ problems }) => problems), ...checkPath(path, above), ...checkXml(xml, above)],
  };
}

function readTemplate(text: string, path: Path): Templates {
  try {
    const { parts } = parseTemplate(text);
    return {
      placeholders: parts.flatMap((part) => (typeof part === 'string' ? [] : { name: part.column, path })),
      problems: [],
    };
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    return { placeholders: [], problems: [{ path, message: `not a template: ${error.message}` }] };
  }
}

/** The texts in a structure, with where they stand. */
function textsIn(value: unknown, path: Path): (readonly [text: string, path: Path])[] {
  if (typeof value === 'string') return [[value, path]];
  if (Array.isArray(value)) return value.flatMap((inner, index) => textsIn(inner, [...path, index]));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => textsIn(inner, [...path, key]));
}

function checkPath(path: string, above: Path): Problem[] {
  const place = [...above, 'path'];
  if (/[?#]/.test(path))
    return [{ path: place, message: 'found "?" or "#", expected a path alone; parameters go under `query:`' }];
  if (/^[a-z]+:/i.test(path)) return [{ path: place, message: 'found a whole URL, expected a path below `url`' }];
  return [];
}

function checkXml(xml: string | undefined, above: Path): Problem[] {
  const valid = xml === undefined || XMLValidator.validate(xml);
  if (valid === true) return [];
  return [{ path: [...above, 'xml'], message: `not XML: line ${valid.err.line ?? 1}: ${valid.err.msg}` }];
}
