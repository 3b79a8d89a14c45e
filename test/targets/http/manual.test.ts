import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import { createLog } from '../../../src/log.ts';
import { createTarget } from '../../../src/targets/registry.ts';

const manual = readFileSync(new URL('../../../docs/targets/http.md', import.meta.url), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'staffetta-manual-'));
afterAll(() => rmSync(folder, { recursive: true }));

const examples = [...manual.matchAll(/^```yaml\n# (.*)\n([\s\S]*?)^```$/gm)].map(([, title = '', yaml = '']) => ({
  title,
  yaml,
}));
const rest = `version: 1
database: { url: "postgres://localhost/x" }
entities: { person: { view: registry.v_person, key: id, sources: {} } }
`;
const env = { DATABASE_URL: 'postgres://localhost/x', STAFF_PASSWORD: 'x', WEBHOOK_SECRET: 'x' };

test('the manual has an example of each kind', () => expect(examples).toHaveLength(4));

test.each(examples)('the example "$title" is a configuration of a target', async ({ yaml }) => {
  const file = join(folder, 'staffetta.yml');
  writeFileSync(file, yaml.startsWith('version') ? yaml : rest + yaml);
  const { config, warnings } = loadConfig(file, env);
  expect(warnings).toEqual([]);
  for (const [name, target] of Object.entries(config.targets)) {
    expect(target.type).toBe('http');
    const own = await createTarget(target, { name, folder, log: createLog('silent') });
    await own.close();
  }
});
