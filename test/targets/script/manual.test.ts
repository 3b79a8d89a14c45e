import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { Backends } from '../../../src/targets/script/backends.ts';
import { type Backyard, createBackyard, well } from './bench.ts';

test('the config.yml of the manual is right', async () => {
  const manual = await readFile(new URL('../../../docs/targets/script.md', import.meta.url), 'utf8');
  const [, config = ''] = /^```yml\n([\s\S]*?)^```$/m.exec(manual) ?? [];
  const yard: Backyard = await createBackyard({ '00dummy/config.yml': config, '00dummy/bin/dummy.sh': well });
  expect(await new Backends('.', yard.folder).again()).toMatchObject([{ name: 'dummy', active: true }]);
  await yard.close();
});
