/** Text as bytes, in the encodings that readers of CSV ask for. */
import type { CsvConfig } from '../../config/file.ts';

export interface Encoding {
  /** What a file begins with. */
  readonly mark: Buffer;
  encode(text: string): Buffer;
  /** The first character that it has no bytes for. */
  lacks(text: string): string | undefined;
}

/** Windows-1252 by its bytes (https://encoding.spec.whatwg.org/#windows-1252). */
const windows1252 = new Map(
  [...new TextDecoder('windows-1252').decode(Uint8Array.from({ length: 256 }, (_, byte) => byte))].map(
    (character, byte) => [character, byte],
  ),
);

const none = Buffer.alloc(0);

/** All of Unicode. */
const unicode = (name: 'utf8' | 'utf16le', mark: Buffer = none): Encoding => ({
  mark,
  encode: (text) => Buffer.from(text, name),
  lacks: () => undefined,
});

/** One byte for each character. */
const singleByte = (byteOf: (character: string) => number | undefined): Encoding => ({
  mark: none,
  encode: (text) => Buffer.from([...text].map((character) => byteOf(character) ?? 0x3f)),
  lacks: (text) => [...text].find((character) => byteOf(character) === undefined),
});

export const encodings: Readonly<Record<CsvConfig['encoding'], Encoding>> = {
  'utf-8': unicode('utf8'),
  'utf-8-bom': unicode('utf8', Buffer.from([0xef, 0xbb, 0xbf])),
  'utf-16le': unicode('utf16le'),
  'utf-16le-bom': unicode('utf16le', Buffer.from([0xff, 0xfe])),
  latin1: singleByte((character) => (character <= '\u00ff' ? character.charCodeAt(0) : undefined)),
  'windows-1252': singleByte((character) => windows1252.get(character)),
};
