/** The XML that AOSI's modules read and its web service answers with. */
import type { Value } from '../targets/target.ts';
import type { CallAttribute, ChangeOutcome } from './hook.ts';

/** The entry of a change: its attributes with their values. */
export function entryXml(dn: string, newDn: string | undefined, attributes: readonly CallAttribute[]): string {
  const shown = attributes.filter(({ secret, values }) => secret === undefined || values.length > 0);
  const inner = shown.map(({ name, values }) =>
    [
      `    <attribute ldapname="${escapeXml(name)}">`,
      ...values.map((value) => `        ${valueXml(value)}`),
      '    </attribute>',
    ].join('\n'),
  );
  const renamed = newDn === undefined ? '' : ` newdn="${escapeXml(newDn)}"`;
  return [`<entry dn="${escapeXml(dn)}"${renamed}>`, ...inner, '</entry>'].join('\n');
}

/** A result: what a module said, or what became of the change itself. */
export interface StatusXml {
  readonly element: 'before_plugin_status' | 'status' | 'after_plugin_status';
  readonly name?: string;
  readonly code: number;
  readonly message: string;
}

/** The results of one change, in order. */
export function resultXml(dn: string, statuses: readonly StatusXml[]): string {
  const inner = statuses.map(({ element, name, code, message }) => {
    const named = name === undefined ? '' : ` name="${escapeXml(name)}"`;
    return `    <${element}${named} code="${code}">${escapeXml(message)}</${element}>`;
  });
  return [`<entry dn="${escapeXml(dn)}">`, ...inner, '</entry>'].join('\n');
}

/** What AOSI answers of a change before any module after it has been called. */
export function outcomeXml({ remoteId, code, message }: ChangeOutcome): string {
  return resultXml(remoteId, [{ element: 'status', code, message }]);
}

function valueXml(value: Value): string {
  if (typeof value === 'string' && isXmlText(value)) return `<value>${escapeXml(value)}</value>`;
  const bytes = typeof value === 'string' ? Buffer.from(value).toString('base64') : value.base64;
  return `<value encoding="base64">${escapeXml(bytes)}</value>`;
}

/** Whether XML 1.0 can say this text at all. */
function isXmlText(text: string): boolean {
  return text.isWellFormed() && !unspeakable.test(text);
}

/** The control characters that it can say are tab, line feed and carriage return. */
const unspeakable = /[^\P{Cc}\t\n\r\u007f-\u009f]|[\ufffe\uffff]/u;

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
};

/** Text as it stands in an attribute or an element; what XML cannot say becomes U+FFFD. */
function escapeXml(text: string): string {
  return Array.from(text.toWellFormed(), (one) => (isXmlText(one) ? (entities[one] ?? one) : '\ufffd')).join('');
}
