/** What an answer says, as a document: of JSON, or of XML as if it were JSON. */
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import type { Json } from '../document.ts';
import { TargetError } from '../target.ts';
import type { WebAnswer } from '../web/answer.ts';

/** An element is an object of its parts, a text, or a list where there are several; `@name` is an attribute. */
const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  removeNSPrefix: true,
  parseTagValue: false,
  parseAttributeValue: false,
  htmlEntities: true,
});

/** The document that an answer is; undefined where it is none. */
export function contentOf({ body, headers }: Pick<WebAnswer, 'body' | 'headers'>): Json | undefined {
  const text = body.replace(/^\ufeff/, '').trim();
  if (text === '') return undefined;
  if (/\bxml\b/i.test(headers.get('content-type') ?? '') || text.startsWith('<')) return parseXml(text);
  try {
    const json: Json = JSON.parse(text);
    return json;
  } catch {
    return undefined;
  }
}

/** The same of an answer that has to be one. Throws `unknown`. */
export function neededContentOf(answer: WebAnswer, what: string): Json {
  const content = contentOf(answer);
  if (content !== undefined) return content;
  const found = answer.excerpt === '' ? 'nothing' : answer.excerpt;
  throw new TargetError('unknown', `${what}: ${answer.asked} answered what is neither JSON nor XML: ${found}`);
}

function parseXml(text: string): Json | undefined {
  if (XMLValidator.validate(text) !== true) return undefined;
  const json: Json = parser.parse(text);
  return json;
}
