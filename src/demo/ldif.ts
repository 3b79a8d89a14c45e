/** Attribute name, as the server writes it, to values. A value that is not UTF-8 stays in base64, marked `base64:`. */
export type LdifEntry = Record<string, string[]>;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Bytes as text: as they are where they are UTF-8, else in base64, marked `base64:`. */
function text(bytes: Buffer): string {
  try {
    return utf8.decode(bytes);
  } catch {
    return `base64:${bytes.toString('base64')}`;
  }
}

/**
 * Reads the entries that ldapsearch prints (RFC 2849: folded lines, base64, comments), by DN as the server writes it.
 *
 * @throws Error for a line that is not LDIF, or a DN that comes twice
 */
export function readLdif(ldif: string): Map<string, LdifEntry> {
  const entries = new Map<string, LdifEntry>();
  let entry: LdifEntry | undefined;
  for (const line of ldif.replaceAll('\r\n', '\n').replaceAll('\n ', '').split('\n')) {
    if (line === '') entry = undefined;
    if (line === '' || line.startsWith('#')) continue;
    const [, name, colons, rest] = /^([^:]+)(::?) *(.*)$/s.exec(line) ?? [];
    if (name === undefined || rest === undefined) throw new Error(`not a line of LDIF: ${line}`);
    const value = colons === '::' ? text(Buffer.from(rest, 'base64')) : rest;
    if (name === 'dn') {
      if (entries.has(value)) throw new Error(`an entry comes twice: ${value}`);
      entry = {};
      entries.set(value, entry);
    } else if (entry !== undefined) {
      entry[name] = [...(entry[name] ?? []), value];
    } // else `version: 1`, a referral (`ref: …`)
  }
  return entries;
}
