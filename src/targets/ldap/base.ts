/** Where the entries of an entity are: what is constant in the templates of their names. */
import type { LdapMapping } from '../../config/ldap.ts';
import { parseTemplate } from '../../config/template.ts';
import { TargetError } from '../target.ts';
import { DnSyntaxError, isBelow, parseDn } from './dn.ts';

/**
 * The bases of a search that sees every entry of an entity, none below another: of its name and of its name when
 * disabled; at least one. `contexts`: the answer where a template leaves everything open. Throws `misconfigured`, also
 * where they are needed and there are none: to look nowhere would be to see that there is nothing.
 */
export function basesOf(mapping: LdapMapping, contexts: readonly string[]): string[] {
  try {
    return outermostOf(mapping, contexts);
  } catch (error) {
    if (!(error instanceof DnSyntaxError)) throw error;
    throw new TargetError('misconfigured', `dn: ${error.message}`, { cause: error });
  }
}

function outermostOf(mapping: LdapMapping, contexts: readonly string[]): string[] {
  const templates = [mapping.dn, mapping.disable?.dn].filter((template) => template !== undefined);
  const parents = templates.map(constantParent);
  if (contexts.length === 0 && parents.includes('')) {
    const message =
      'dn: a template without a constant end may name an entry anywhere, and the server shows no tree at all';
    throw new TargetError(
      'misconfigured',
      `${message}. Write where the entries are, or grant the right to read the root DSE`,
    );
  }
  const bases = parents.flatMap((base) => (base === '' ? contexts : [base]));
  const outermost: string[] = [];
  for (const base of bases) {
    parseDn(base);
    if (outermost.some((other) => isBelow(base, other))) continue;
    outermost.splice(0, outermost.length, ...outermost.filter((other) => !isBelow(other, base)), base);
  }
  return outermost;
}

/** What follows the last level that a column has part in; of a constant name, its parent. */
function constantParent(template: string): string {
  const { parts } = parseTemplate(template);
  const last = parts.at(-1);
  if (typeof last !== 'string') return '';
  const separator = /^(?:[^\\,;"]|\\.|"(?:[^\\"]|\\.)*")*[,;]/s.exec(last);
  return separator === null ? '' : last.slice(separator[0].length).trim();
}
