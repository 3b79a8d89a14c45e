import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';

const manual = readFileSync(new URL('../../../docs/targets/scim.md', import.meta.url), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'staffetta-manual-'));
afterAll(() => rmSync(folder, { recursive: true }));

const examples = [...manual.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, yaml = '']) => yaml);
const rest = `version: 1
database: { url: "postgres://localhost/x" }
entities: { person: { view: registry.v_person, key: id, sources: {} } }
`;
const env = new Proxy({}, { get: (_, name) => (String(name).endsWith('URL') ? 'postgres://db.example.org/x' : 'x') });

test('the manual has examples', () => expect(examples).toHaveLength(5));

test.each(examples)('the example %# of the manual is a configuration', (yaml) => {
  const file = join(folder, 'staffetta.yml');
  writeFileSync(file, yaml.includes('version: 1') ? yaml : rest + yaml);
  const { config, warnings } = loadConfig(file, env);
  expect(Object.values(config.targets).map(({ type }) => type)).toEqual(['scim']);
  expect(warnings).toEqual([]);
});
