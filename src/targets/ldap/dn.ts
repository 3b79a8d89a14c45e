/**
 * Distinguished names: parsing, formatting and comparison by RFC 4514, with what older writers left behind (RFC 2253 and
 * RFC 1779: `;` as separator, quoted values, `OID.` prefixes, spaces around separators).
 */
import { attributeTypes } from './attribute-types.ts';
import { prepare } from './prepare.ts';
import { remembering } from './remembering.ts';

/** One attribute of an RDN. `hex`: a value that is not text, given as the BER that follows `#` (RFC 4514 §2.4). */
export type Naming =
  | { readonly type: string; readonly value: string }
  | { readonly type: string; readonly hex: string };

/** One level of a name; more than one attribute where it is written with `+`. */
export type Rdn = readonly Naming[];

/** A name: its own RDN first, the root last. */
export type Dn = readonly Rdn[];

/** A text that is not a distinguished name. */
export class DnSyntaxError extends Error {
  override readonly name = 'DnSyntaxError';
}

/** A value as it stands in a DN (RFC 4514 §2.4): whatever has a meaning there becomes a hex pair. */
export function escapeValue(value: string): string {
  const last = value.length - 1;
  const hex = (letter: string): string => `\\${letter.charCodeAt(0).toString(16).padStart(2, '0').toUpperCase()}`;
  const escaped = value.replace(/[\\,+"<>;]|\p{Cc}/gu, (letter) => (letter < '\u0080' ? hex(letter) : letter));
  const start = value[0] === ' ' || value[0] === '#' ? hex(value[0]) + escaped.slice(1) : escaped;
  return last > 0 && value[last] === ' ' ? `${start.slice(0, -1)}\\20` : start;
}

/** A DN as text, with hex pairs as the only escapes. */
export function formatDn(dn: Dn): string {
  return dn.map(formatRdn).join(',');
}

export function formatRdn(rdn: Rdn): string {
  return rdn
    .map((naming) => `${naming.type}=${'hex' in naming ? `#${naming.hex}` : escapeValue(naming.value)}`)
    .join('+');
}

/** The levels of a DN; the empty text is the root. Throws `DnSyntaxError`. */
export function parseDn(text: string): Dn {
  const reader = new Reader(text);
  if (reader.atEnd()) return [];
  const dn: Rdn[] = [];
  let rdn: Naming[] = [];
  for (;;) {
    const type = reader.type();
    rdn.push(reader.value(type));
    const separator = reader.separator();
    if (separator === '+') continue;
    dn.push(rdn);
    rdn = [];
    if (separator === '') return dn;
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  atEnd(): boolean {
    this.#spaces();
    return this.#at >= this.#text.length;
  }

  type(): string {
    const found = this.#take(/ *(?:oid\.(?=[0-9]))?([a-z][a-z0-9-]*|[0-9]+(?:\.[0-9]+)+) *=/iy);
    if (found?.[1] === undefined) throw this.#error('expected an attribute name and "="');
    return found[1];
  }

  value(type: string): Naming {
    this.#spaces();
    const hex = this.#take(/#((?:[0-9a-f]{2})+) *(?=$|[,;+])/iy);
    if (hex?.[1] !== undefined) return decodeHex(type, hex[1]);
    const quoted = this.#take(/"/y) !== undefined;
    const pieces: (string | Buffer)[] = [];
    for (;;) {
      const pairs = this.#take(/(?:\\[0-9a-f]{2})+/iy);
      if (pairs !== undefined) {
        pieces.push(Buffer.from(pairs[0].replaceAll('\\', ''), 'hex'));
        continue;
      }
      // Spaces count unless they stand before a separator or at the end.
      const plain = this.#take(
        quoted ? /[^\\"]+|\\([^0-9a-f])/iuy : /[^\\,;+" ]+| +(?! *(?:$|[,;+]))|\\([ "#+,;<=>\\])/uy,
      );
      if (plain === undefined) break;
      pieces.push(plain[1] ?? plain[0]);
    }
    if (quoted && this.#take(/"/y) === undefined) throw this.#error('expected a closing quote');
    return { type, value: this.#join(pieces) };
  }

  /** `,` (also for `;`), `+`, or nothing at the end. */
  separator(): ',' | '+' | '' {
    if (this.atEnd()) return '';
    const found = this.#take(/[,;+]/y);
    if (found === undefined) throw this.#error('expected ",", "+" or the end');
    return found[0] === '+' ? '+' : ',';
  }

  #spaces(): void {
    this.#take(/ +/y);
  }

  #take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found === null) return undefined;
    this.#at = pattern.lastIndex;
    return found;
  }

  /** Hex pairs are bytes: a letter may be made of several, also of such that stand apart. */
  #join(pieces: readonly (string | Buffer)[]): string {
    const [only, ...more] = pieces;
    if (more.length === 0 && typeof only === 'string') return only;
    const bytes = pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : piece));
    try {
      return utf8.decode(Buffer.concat(bytes));
    } catch {
      throw this.#error('the hex pairs before are not UTF-8');
    }
  }

  #error(expected: string): DnSyntaxError {
    return new DnSyntaxError(`not a distinguished name: ${expected} at character ${this.#at + 1} of "${this.#text}"`);
  }
}

/** `#…` that holds a short UTF-8, printable, IA5 or octet string is the text in it; anything else stays as it is. */
function decodeHex(type: string, hex: string): Naming {
  const ber = Buffer.from(hex, 'hex');
  const isText =
    [0x04, 0x0c, 0x13, 0x16].includes(ber[0] ?? 0) && (ber[1] ?? 0x80) < 0x80 && ber.length === (ber[1] ?? 0) + 2;
  const value = ber.subarray(2);
  if (!isText || !Buffer.from(value.toString()).equals(value)) return { type, hex: hex.toLowerCase() };
  return { type, value: value.toString() };
}

/**
 * The form under which a DN is unique: types by their first name, values prepared by caseIgnoreMatch, the attributes of
 * an RDN in order. Two DNs are the same entry exactly when these texts are equal. Throws `DnSyntaxError`.
 *
 * It depends on nothing but the DN, because it is stored: a server's schema that is read later must not change it.
 */
export function normaliseDn(text: string): string {
  const plain = plainRdn(text);
  try {
    if (plain !== undefined) return `${plain.rdn},${normalisedAbove(plain.above)}`;
  } catch {} // the whole text says better what is wrong with it
  return parseDn(text).map(normaliseRdn).join(',');
}

const normalisedAbove = remembering(normaliseDn, 256);

/**
 * The first level of a name, normalised, and the text of those above, where it takes no parsing: it does not for most
 * entries, and many share what is above them.
 */
export function plainRdn(text: string): { readonly rdn: string; readonly above: string } | undefined {
  const [all, type, value] = /^([a-z][a-z0-9-]*)=([a-z0-9._@-]+),(?=[a-z])/i.exec(text) ?? [];
  if (all === undefined || type === undefined || value === undefined) return undefined;
  return { rdn: `${canonicalType(type)}=${value.toLowerCase()}`, above: text.slice(all.length) };
}

function normaliseRdn(rdn: Rdn): string {
  return rdn.map(normaliseNaming).sort().join('+');
}

function normaliseNaming(naming: Naming): string {
  const type = canonicalType(naming.type);
  return 'hex' in naming ? `${type}=#${naming.hex}` : `${type}=${escapeValue(prepare(naming.value, true))}`;
}

function canonicalType(type: string): string {
  const name = type.toLowerCase();
  return attributeTypes.get(name)?.name ?? name;
}

/** The DN one level up; undefined for the root. */
export function parentDn(dn: Dn): Dn | undefined {
  return dn.length === 0 ? undefined : dn.slice(1);
}

/** Is `dn` below `base`, or `base` itself? Both as texts; throws `DnSyntaxError`. */
export function isBelow(dn: string, base: string): boolean {
  const below = parseDn(dn).map(normaliseRdn);
  const above = parseDn(base).map(normaliseRdn);
  return above.length <= below.length && above.every((rdn, at) => rdn === below[below.length - above.length + at]);
}
