/** JSON Lines: a document in each line, in UTF-8. The names of attributes are the paths of their places in it. */
import type { JsonlConfig } from '../../config/file.ts';
import { type Field, fieldsOf } from '../../config/file-fields.ts';
import { fieldIn } from './field.ts';
import { type Formed, formIn } from './form.ts';
import type { Entry, Event, Format } from './format.ts';
import { plainRules } from './plain-rules.ts';

/** A document, or a value in it. */
type Node = Formed | Map<string, Node>;

export class Jsonl implements Format {
  readonly rules = plainRules;
  readonly #config: JsonlConfig;
  readonly #fields: readonly (readonly [Field, string])[];

  constructor(config: JsonlConfig) {
    this.#config = config;
    this.#fields = fieldsOf(config);
  }

  head(): Buffer {
    return Buffer.alloc(0);
  }

  event(event: Event): Buffer {
    return this.#line(event, event, event.operation === 'delete');
  }

  entry(entry: Entry, at: Date): Buffer {
    return this.#line(entry, { ...entry, at }, false);
  }

  #line({ entity, attributes }: Entry, facts: Parameters<typeof fieldIn>[1], bare: boolean): Buffer {
    const document = new Map<string, Node>();
    for (const [field, name] of this.#fields) {
      const text = fieldIn(field, facts);
      if (text !== '') document.set(name, field === 'sequence' ? { number: text } : text);
    }
    const mapped = bare ? [] : Object.entries(this.#config.entities[entity]?.attributes ?? {});
    for (const [path, { as }] of mapped) put(document, path.split('.'), formIn(path, attributes[path] ?? [], as));
    return Buffer.from(`${write(document)}\n`);
  }
}

function put(document: Map<string, Node>, [step = '', ...below]: readonly string[], value: Formed): void {
  if (below.length === 0) {
    document.set(step, value);
    return;
  }
  const there = document.get(step);
  const inner = there instanceof Map ? there : new Map<string, Node>();
  document.set(step, inner);
  put(inner, below, value);
}

/** JSON, in which numbers keep every digit that they were given with. */
function write(node: Node): string {
  if (node instanceof Map)
    return `{${[...node].map(([name, value]) => `${JSON.stringify(name)}:${write(value)}`).join(',')}}`;
  if (typeof node === 'object' && node !== null && 'number' in node) return node.number;
  return JSON.stringify(node);
}
