/**
 * A distinguished name taken apart: its RDNs, each a list of [type, value], types in lower case, values as they were
 * before anything was escaped. (What the demo checks the product with, so it shares nothing with `targets/ldap`.)
 */
export type Dn = readonly (readonly (readonly [type: string, value: string])[])[];

/** Reads the string form of RFC 4514, section 2: `\,` and `\2C` are a comma. Not the `#hex` form, which slapd never writes. */
export function readDn(dn: string): Dn {
  if (dn === '') return [];
  return split(dn, ',').map((rdn) =>
    split(rdn, '+').map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1) throw new Error(`not a distinguished name: ${dn}`);
      return [pair.slice(0, at).trim().toLowerCase(), unescaped(pair.slice(at + 1))] as const;
    }),
  );
}

/** At each separator that no backslash stands before. */
const split = (text: string, separator: ',' | '+'): string[] =>
  text.match(separator === ',' ? /(?:\\.|[^\\,])+/gsu : /(?:\\.|[^\\+])+/gsu) ?? [];

function unescaped(value: string): string {
  const parts = value.match(/\\[0-9a-f]{2}|\\.|[^\\]+/gisu) ?? [];
  return Buffer.concat(
    parts.map((part) => {
      if (!part.startsWith('\\')) return Buffer.from(part);
      return part.length === 3 ? Buffer.from(part.slice(1), 'hex') : Buffer.from(part.slice(1));
    }),
  ).toString();
}

/** A name under which two DNs are found to mean the same entry, whatever the case, the spaces and the escapes. */
export const dnKey = (dn: Dn): string => JSON.stringify(dn).normalize('NFKC').toLowerCase().replace(/\s+/gu, ' ');
