import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { format } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import { HiddenSecret, readSecret, redactUrl, SecretError } from '../../src/config/secret.ts';

const folder = mkdtempSync(join(tmpdir(), 'staffetta-secret-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('a secret', () => {
  test('is the text that was given', () => {
    expect(readSecret('geheim\n')).toBe('geheim\n');
  });

  test('is what a file holds, without the newline at its end', () => {
    for (const [name, text] of [
      ['unix', 'a b\n'],
      ['dos', 'a b\r\n'],
      ['bare', 'a b'],
    ] as const) {
      writeFileSync(join(folder, name), text);
      expect(readSecret({ file: join(folder, name) })).toBe('a b');
    }
  });

  test('of a file that is missing, empty or none is a clear error', () => {
    writeFileSync(join(folder, 'empty'), '\n');
    expect(() => readSecret({ file: join(folder, 'none') })).toThrow(
      new SecretError(`cannot read the secret file ${folder}/none: it does not exist`),
    );
    expect(() => readSecret({ file: join(folder, 'empty') })).toThrow(
      new SecretError(`the secret file ${folder}/empty is empty`),
    );
    expect(() => readSecret({ file: folder })).toThrow(SecretError);
  });

  test('shows in no kind of output', () => {
    const hidden = new HiddenSecret('geheim');
    expect(`${hidden} ${JSON.stringify({ hidden })} ${format('%o %j %s', hidden, hidden, hidden)}`).not.toContain(
      'geheim',
    );
    expect(readSecret(hidden)).toBe('geheim');
  });
});

test.each([
  ['postgres://app:geheim@db:5432/x', 'postgres://app:***@db:5432/x'],
  ['postgres://app:g@h:e/i@db/x', 'postgres://app:***@db/x'],
  ['postgres://app@db/x?password=geheim&sslmode=require', 'postgres://app@db/x?password=***&sslmode=require'],
  ['postgres://app@db/x', 'postgres://app@db/x'],
  ['postgres:///x?host=/run/postgresql', 'postgres:///x?host=/run/postgresql'],
])('%s is shown as %s', (url, shown) => {
  expect(redactUrl(url)).toBe(shown);
});
