import { createMessage, encrypt, readKey } from 'openpgp';
import { beforeAll, expect, test } from 'vitest';
import { generateKey, publicKeyOf } from '../../src/passwords/keys.ts';
import { createOpener } from '../../src/passwords/open.ts';

let key: string;
beforeAll(async () => {
  key = await generateKey();
});

async function seal(content: object): Promise<Buffer> {
  const encryptionKeys = await readKey({ armoredKey: await publicKeyOf(key) });
  const message = await createMessage({ text: JSON.stringify(content) });
  return Buffer.from(await encrypt({ message, encryptionKeys, format: 'binary' }));
}
const anna = { entity: 'person', key: '1' };
const content = { ...anna, kind: 'change', new: 'sesam', old: null };

test('what was sealed for somebody is opened for them', async () => {
  expect(await createOpener(key)(await seal(content), anna)).toEqual({
    kind: 'change',
    next: 'sesam',
    former: undefined,
  });
  const former = await createOpener(key)(await seal({ ...content, old: 'before' }), anna);
  expect(former).toEqual({ kind: 'change', next: 'sesam', former: 'before' });
});

test.each([
  ['another person', { ...anna, key: '2' }],
  ['another entity', { ...anna, entity: 'guest' }],
])('but not for %s', async (_, owner) => {
  await expect(createOpener(key)(await seal(content), owner)).rejects.toThrow('sealed for another identity');
});

test('with another key it is not opened, and neither is what nobody sealed', async () => {
  const other = createOpener(await generateKey());
  await expect(other(await seal(content), anna)).rejects.toThrow('not the key that it was sealed for');
  await expect(createOpener(key)(Buffer.from('sesam'), anna)).rejects.toThrow('not the key that it was sealed for');
});

test('a key that is none, or is locked, is told of', async () => {
  await expect(publicKeyOf('sesam')).rejects.toThrow(
    'passwords.key is no OpenPGP private key; "staffetta password-key" makes one',
  );
  await expect(createOpener('sesam')(await seal(content), anna)).rejects.toThrow('no OpenPGP private key');
});
