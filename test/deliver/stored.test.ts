import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { storedText, toStored } from '../../src/deliver/stored.ts';
import type { Value } from '../../src/targets/target.ts';
import { secret } from './situation.ts';
import { createStage, type Stage } from './stage.ts';

const mapped = { secret: new Set(['userPassword']), policies: new Map([['info', 'merge' as const]]) };
const value: fc.Arbitrary<Value> = fc.oneof(
  fc.string({ unit: 'binary' }).filter((text) => !text.includes('\0') && text !== ''),
  fc.uint8Array({ minLength: 1 }).map((bytes) => ({ base64: Buffer.from(bytes).toString('base64') })),
);

describe('values as a link keeps them', () => {
  test('are as they are if neither secret nor long', () => {
    const attributes = { cn: ['Ada', 'x'.repeat(256)], jpegPhoto: [{ base64: 'AQID' }] };
    expect(toStored(attributes, mapped, secret)).toEqual(attributes);
  });

  test('are only their hash beyond 256 bytes of UTF-8, be they text or bytes', () => {
    const long = 'é'.repeat(129);
    const bytes = Buffer.alloc(257, 7);
    const hash = (content: string | Buffer) => createHash('sha256').update(content).digest('hex');
    expect(toStored({ cn: [long], jpegPhoto: [{ base64: bytes.toString('base64') }] }, mapped, secret)).toEqual({
      cn: [{ hash: hash(long) }],
      jpegPhoto: [{ hash: hash(bytes) }],
    });
    expect(toStored({ info: [long] }, mapped, secret)).toEqual({ info: [long] }); // merged: taken out again by name
    expect(toStored({ cn: ['é'.repeat(128)] }, mapped, secret)).toEqual({ cn: ['é'.repeat(128)] });
  });

  test('are told apart by their text exactly when they differ', () => {
    fc.assert(
      fc.property(value, value, (one, other) => {
        expect(storedText(one) === storedText(other)).toBe(JSON.stringify(one) === JSON.stringify(other));
      }),
    );
    expect(storedText('AQID')).not.toBe(storedText({ base64: 'AQID' }));
    expect(storedText('00')).not.toBe(storedText({ hash: '00' }));
  });

  test('give nothing of a secret away, and differ from installation to installation', () => {
    const kept = toStored({ userPassword: ['hunter2'] }, mapped, secret);
    expect(JSON.stringify(kept)).not.toContain('hunter2');
    expect(kept).not.toEqual(toStored({ userPassword: ['hunter2'] }, mapped, Buffer.from('another')));
  });
});

describe('the hash of a secret', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await createStage();
  });
  afterAll(() => stage.close());

  test('is the one that SQL computes for the fingerprint (PROTOCOL D5)', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(value, { minLength: 1, maxLength: 5 }), async (values) => {
        const [row] = await stage.query<{ hashed: unknown }>(
          'select staffetta.hashed($1::bytea, $2::jsonb) as hashed',
          [secret, JSON.stringify(values)],
        );
        expect(row?.hashed).toEqual(toStored({ userPassword: values }, mapped, secret).userPassword);
      }),
      { numRuns: 50 },
    );
  });
});
