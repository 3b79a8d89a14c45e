import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { ldap } from '../../../src/config/ldap.ts';

test('the example of the manual is a configuration', async () => {
  const manual = await readFile(new URL('../../../docs/targets/ldap.md', import.meta.url), 'utf8');
  const [, example = ''] = /```yaml\n(.*?)```/s.exec(manual) ?? [];
  const { targets } = z.strictObject({ targets: z.record(z.string(), ldap) }).parse(parse(example));
  expect(targets.directory?.type).toBe('ldap');
});
