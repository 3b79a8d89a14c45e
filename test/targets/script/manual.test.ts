import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import { Backends } from '../../../src/targets/script/backends.ts';
import { type Backyard, createBackyard, well } from './bench.ts';

const manual = readFileSync(new URL('../../../docs/targets/script.md', import.meta.url), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'staffetta-manual-'));
afterAll(() => rmSync(folder, { recursive: true }));

const examples = [...manual.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, yaml = '']) => yaml);
const rest = `version: 1
database: { url: "postgres://localhost/x" }
entities: { person: { view: registry.v_person, key: id, sources: {} } }
`;

test.each(examples)('the example %# of the manual is a configuration', (yaml) => {
  const file = join(folder, 'staffetta.yml');
  writeFileSync(file, yaml.startsWith('version') ? yaml : rest + yaml);
  const { config, warnings } = loadConfig(file, { DATABASE_URL: 'postgres://localhost/x' });
  expect(config.targets.programs?.type).toBe('script');
  expect(warnings).toEqual([]);
});

test('the config.yml of the manual is right', async () => {
  const [, config = ''] = /^```yml\n([\s\S]*?)^```$/m.exec(manual) ?? [];
  const yard: Backyard = await createBackyard({ '00dummy/config.yml': config, '00dummy/bin/dummy.sh': well });
  expect(await new Backends('.', yard.folder).again()).toMatchObject([{ name: 'dummy', active: true }]);
  await yard.close();
});
