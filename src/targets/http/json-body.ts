/** A body of JSON: a structure whose texts are templates, each of which takes what its placeholder stands for as it is. */
import { type Document, isDocument, type Json } from '../document.ts';
import { type Scope, Text } from './scope.ts';

type Structure = Text | number | boolean | null | readonly Structure[] | { readonly [key: string]: Structure };

export class JsonBody {
  readonly #structure: Structure;

  constructor(source: Json) {
    this.#structure = read(source);
  }

  get names(): string[] {
    return namesIn(this.#structure);
  }

  fill(scope: Scope): Json {
    return fill(this.#structure, scope) ?? null;
  }
}

function read(source: Json): Structure {
  if (typeof source === 'string') return new Text(source);
  if (Array.isArray(source)) return source.map(read);
  if (isDocument(source)) return Object.fromEntries(Object.entries(source).map(([key, inner]) => [key, read(inner)]));
  return typeof source === 'object' ? null : source;
}

function namesIn(structure: Structure): string[] {
  if (structure instanceof Text) return structure.names;
  return typeof structure === 'object' && structure !== null ? Object.values(structure).flatMap(namesIn) : [];
}

/** What stands for nothing is left out, of objects and of lists. */
function fill(structure: Structure, scope: Scope): Json | undefined {
  if (structure instanceof Text) return structure.json(scope);
  if (isList(structure)) return structure.flatMap((inner) => fill(inner, scope) ?? []);
  if (typeof structure !== 'object' || structure === null) return structure;
  const document: Record<string, Json> = {};
  for (const [key, inner] of Object.entries(structure)) {
    const value = fill(inner, scope);
    if (value !== undefined) document[key] = value;
  }
  return document satisfies Document;
}

function isList(structure: Structure): structure is readonly Structure[] {
  return Array.isArray(structure);
}
