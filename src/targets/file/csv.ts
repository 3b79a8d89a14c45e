/** Comma-separated values (RFC 4180): the fields of a record, then the attributes in the order of the mapping. */
import { stringify } from 'csv-stringify/sync';
import type { CsvConfig } from '../../config/file.ts';
import { type Field, fieldsOf } from '../../config/file-fields.ts';
import type { AttributeConfig } from '../../config/schema.ts';
import { unfit } from '../document.ts';
import type { Value } from '../target.ts';
import { type Encoding, encodings } from './encoding.ts';
import { fieldIn } from './field.ts';
import { formIn } from './form.ts';
import type { Entry, Event, Format } from './format.ts';
import { plainRules } from './plain-rules.ts';

type Column = CsvConfig['entities'][string]['attributes'][string];

export class Csv implements Format {
  readonly rules = plainRules;
  readonly #config: CsvConfig;
  readonly #fields: readonly (readonly [Field, string])[];
  readonly #encoding: Encoding;

  constructor(config: CsvConfig) {
    this.#config = config;
    this.#fields = fieldsOf(config);
    this.#encoding = encodings[config.encoding];
  }

  head(entity: string | undefined): Buffer {
    const { mark } = this.#encoding;
    if (!this.#config.header) return mark;
    const [only = ''] = Object.keys(this.#config.entities);
    const names = [...this.#fields.map(([, name]) => name), ...Object.keys(this.#columns(entity ?? only))];
    return Buffer.concat([mark, this.#line(names)]);
  }

  event(event: Event): Buffer {
    return this.#record(event, event, event.operation === 'delete');
  }

  entry(entry: Entry, at: Date): Buffer {
    return this.#record(entry, { ...entry, at }, false);
  }

  #record({ entity, attributes }: Entry, facts: Parameters<typeof fieldIn>[1], bare: boolean): Buffer {
    const fields = this.#fields.map(([field, name]) => this.#encodable(name, fieldIn(field, facts), false));
    const columns = Object.entries(this.#columns(entity)).map(([name, column]) =>
      bare ? '' : this.#encodable(name, this.#cell(name, column, attributes[name] ?? []), isSecret(column)),
    );
    return this.#line([...fields, ...columns]);
  }

  #columns(entity: string): CsvConfig['entities'][string]['attributes'] {
    return this.#config.entities[entity]?.attributes ?? {};
  }

  #cell(name: string, { as }: Column, values: readonly Value[]): string {
    const value = formIn(name, values, as);
    if (value === null) return '';
    if (typeof value === 'object') return 'number' in value ? value.number : this.#join(name, value);
    return String(value);
  }

  /** The values of a list, so that they can be told apart again. */
  #join(name: string, values: readonly string[]): string {
    const { separator, escape: mark } = this.#config;
    const joined = values.map((value) => {
      if (mark !== undefined)
        return value.replaceAll(mark, () => mark + mark).replaceAll(separator, () => mark + separator);
      if (!value.includes(separator)) return value;
      throw unfit(
        name,
        `has a value with "${separator}" in it, which separates values: choose another separator, or an escape`,
      );
    });
    return joined.join(separator);
  }

  /** Throws `rejected` for a character that the encoding lacks; of what is secret, none is told. */
  #encodable(name: string, text: string, secret: boolean): string {
    const lacking = this.#encoding.lacks(text);
    if (lacking === undefined) return text;
    const code = `U+${(lacking.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
    const which = secret ? 'a character' : `the character "${lacking}" (${code})`;
    throw unfit(name, `has ${which} that ${this.#config.encoding} lacks: take it out, or choose \`encoding: utf-8\``);
  }

  #line(cells: readonly string[]): Buffer {
    const { delimiter, quote, quoting, lineEnding, defuse } = this.#config;
    const text = stringify([cells], {
      delimiter,
      quote,
      escape: quote,
      quoted: quoting === 'all',
      quoted_empty: quoting === 'all' || cells.length === 1, // else a line of nothing, which readers skip
      escape_formulas: defuse,
      record_delimiter: lineEnding === 'crlf' ? '\r\n' : '\n',
    });
    return this.#encoding.encode(text);
  }
}

function isSecret(column: AttributeConfig): boolean {
  return 'secret' in column && column.secret;
}
