/**
 * A body of XML: a text that is read into elements once, whose texts and attributes are templates. What is filled in is
 * written as text of that place, whatever is in it; an element that holds no more than a list is there for each value.
 *
 * fast-xml-parser reads it. It is written here, since a carriage return, or the end of a line in an attribute, has to
 * be written as a reference to come out as it went in (XML 1.0 §2.11, §3.3.3).
 */
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import type { Json } from '../document.ts';
import { TargetError } from '../target.ts';
import { type Scope, Text } from './scope.ts';

interface Element {
  readonly name: string;
  readonly attributes: readonly (readonly [name: string, value: Text])[];
  readonly content: readonly (Element | Text)[];
}

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: '',
  parseTagValue: false,
  parseAttributeValue: false,
  htmlEntities: true,
});

export class XmlBody {
  readonly #root: Element;

  /** Throws Error for what is no XML, TemplateError. */
  constructor(source: string) {
    const valid = XMLValidator.validate(source);
    if (valid !== true) throw new Error(`line ${valid.err.line ?? 1} of the XML: ${valid.err.msg}`);
    const [root] = elementsIn(parser.parse(source)).filter((node) => !(node instanceof Text));
    if (root === undefined || root instanceof Text) throw new Error('found no element, expected one');
    this.#root = root;
  }

  get names(): string[] {
    return namesIn(this.#root);
  }

  /** Throws `rejected` for a character that no XML can hold. */
  fill(scope: Scope): string {
    return `<?xml version="1.0" encoding="UTF-8"?>\n${write(this.#root, scope)}`;
  }
}

/** What the parser makes of elements in their order: `{ name: [content], ':@': { attribute: value } }`, `{ '#text': '…' }`. */
function elementsIn(nodes: unknown): (Element | Text)[] {
  if (!Array.isArray(nodes)) return [];
  return nodes.flatMap((node: unknown): (Element | Text)[] => {
    if (typeof node !== 'object' || node === null) return [];
    const parts = new Map<string, unknown>(Object.entries(node));
    const [name, content] = [...parts].find(([key]) => key !== attributesKey) ?? [];
    if (name === undefined || name.startsWith('?')) return [];
    if (name === '#text') return [new Text(String(content))];
    const given = parts.get(attributesKey);
    const attributes = Object.entries(typeof given === 'object' && given !== null ? given : {});
    return [
      {
        name,
        attributes: attributes.map(([key, value]) => [key, new Text(String(value))] as const),
        content: elementsIn(content),
      },
    ];
  });
}

const attributesKey = ':@';

function namesIn({ attributes, content }: Element): string[] {
  const inner = content.flatMap((node) => (node instanceof Text ? node.names : namesIn(node)));
  return [...attributes.flatMap(([, value]) => value.names), ...inner];
}

function write(element: Element, scope: Scope): string {
  const { name, attributes, content } = element;
  const [only, ...more] = content;
  const value = more.length === 0 && only instanceof Text && !only.isConstant ? only.json(scope) : undefined;
  const isGiven = more.length > 0 || !(only instanceof Text) || only.isConstant;
  if (!isGiven && value === undefined) return ''; // what stands for nothing is left out, as of JSON
  const tag = `${name}${attributes.map((attribute) => writeAttribute(attribute, scope)).join('')}`;
  if (!isGiven)
    return [value]
      .flat()
      .map((each) => wrap(name, tag, escaped(textOf(each))))
      .join('');
  const inner = content.map((node) => (node instanceof Text ? escaped(node.text(scope) ?? '') : write(node, scope)));
  return wrap(name, tag, inner.join(''));
}

function wrap(name: string, tag: string, content: string): string {
  return content === '' ? `<${tag}/>` : `<${tag}>${content}</${name}>`;
}

function writeAttribute([name, value]: Element['attributes'][number], scope: Scope): string {
  const text = value.text(scope);
  return text === undefined ? '' : ` ${name}="${escaped(text)}"`;
}

function textOf(value: Json | undefined): string {
  if (typeof value === 'object') throw new TargetError('rejected', 'found a structure where XML takes a text');
  return String(value ?? '');
}

const references: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
};

function escaped(text: string): string {
  // XML 1.0 §2.2
  if (/[^\P{Cc}\t\n\r\x7f-\x9f]|[\ufffe\uffff]/u.test(text) || !text.isWellFormed())
    throw new TargetError(
      'rejected',
      'a value has a control character, which no XML can hold; correct it at its source',
    );
  return text.replaceAll(/[&<>"\t\n\r]/g, (character) => references[character] ?? character);
}
