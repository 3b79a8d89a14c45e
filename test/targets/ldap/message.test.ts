import { AddRequest, Attribute, BerReader, Control } from 'ldapts';
import { expect, test } from 'vitest';
import { encode } from '../../../src/targets/ldap/message.ts';

const add = (size: number) => {
  const attributes = [new Attribute({ type: 'jpegPhoto', values: [Buffer.alloc(size, 7)] })];
  return new AddRequest({ messageId: 5, dn: 'uid=a,dc=x', attributes, controls: [new Control('1.2.3.4')] });
};

/** The photo in an encoded message, and the bytes that are missing at its end. */
function decode(bytes: Buffer): { size: number; missing: number } {
  const reader = new BerReader(bytes);
  reader.readSequence();
  const missing = reader.length - reader.remain;
  reader.readInt();
  reader.readSequence();
  const request = new AddRequest({ messageId: 5, dn: '' });
  request.parseMessage(reader);
  return { size: request.attributes[0]?.parsedBuffers[0]?.length ?? 0, missing };
}

test('a message of any size is encoded whole, with its controls', () => {
  for (const size of [0, 1, 100, 0x7000, 0x7fff, 0x8000, 0xfff0, 0xffff, 0x10000, 0x20000]) {
    expect(decode(encode(add(size)))).toEqual({ size, missing: 0 });
    expect(encode(add(size)).includes('1.2.3.4')).toBe(true);
  }
});

test('a message that just fills the buffer of ldapts is not cut off', () => {
  // Its buffer grows eightfold, so it is full at 524,288 bytes; values of 1,000 bytes fill it little by little.
  for (let size = 524_200; size < 524_300; size += 1) {
    const values = Array.from({ length: Math.ceil(size / 1004) }, (_, at) =>
      Buffer.alloc(Math.min(1000, size - at * 1004), 7),
    );
    const attributes = [new Attribute({ type: 'm', values })];
    const bytes = encode(new AddRequest({ messageId: 5, dn: 'uid=a,dc=x', attributes }));
    expect(decode(bytes).missing).toBe(0);
  }
});

test('a message that is too large for its encoding is refused', () => {
  expect(() => encode(add(0x1000000))).toThrow(expect.objectContaining({ kind: 'rejected' }));
});
