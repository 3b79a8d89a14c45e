import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { jsonSchema } from '../../src/config/json-schema.ts';
import { loadConfig } from '../../src/config/load.ts';
import { createLog } from '../../src/log.ts';
import { createTarget } from '../../src/targets/registry.ts';

const docs = join(import.meta.dirname, '../../docs');
const read = (name: string) => readFileSync(join(docs, name), 'utf8');
const manuals = globSync('targets/*.md', { cwd: docs }).toSorted();
// What only one kind of target takes may be explained on its own page alone.
const explained = ['configuration.md', ...manuals].map(read).join('');
const folder = mkdtempSync(join(tmpdir(), 'staffetta-docs-'));
afterAll(() => rmSync(folder, { recursive: true }));

const pages = ['configuration.md', 'passwords.md', 'hooks.md', ...manuals].map((page) => ({
  page,
  examples: [...read(page).matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, yaml = '']) => ({
    yaml,
    title: yaml.split('\n')[0],
  })),
}));

// Each example is a whole file, or one or more of its top-level keys: this stands for those it leaves out.
const rest: Readonly<Record<string, string>> = {
  version: 'version: 1',
  database: 'database: { url: "postgres://localhost/x" }',
  entities: 'entities: { person: { view: v, key: id, sources: {} }, group: { view: v, key: id, sources: {} } }',
  targets: 'targets: {}',
};

function whole(yaml: string): string {
  const missing = Object.entries(rest).filter(([key]) => !new RegExp(`^${key}:`, 'm').test(yaml));
  return `${yaml}\n${missing.map(([, line]) => line).join('\n')}\n`;
}

const env = new Proxy({}, { get: (_, name) => (String(name).endsWith('URL') ? 'postgres://db.example.org/x' : 'x') });

describe.each(pages)('docs/$page', ({ page, examples }) => {
  test('has examples', () => expect(examples.length).toBeGreaterThan(0));

  test.each(examples)('example "$title" is a configuration', async ({ yaml }) => {
    const file = join(folder, 'staffetta.yml');
    writeFileSync(file, whole(yaml));
    const { config, warnings } = loadConfig(file, env);
    if (!page.startsWith('targets/')) return;
    expect(warnings).toEqual([]);
    const [, kind = ''] = /\/(\w+)\.md/.exec(page) ?? [];
    const targets = Object.entries(config.targets);
    expect(targets.map(([, { type }]) => type)).toEqual(targets.map(() => kind));
    for (const [name, target] of kind === 'own' ? [] : targets)
      await (await createTarget(target, { name, folder, log: createLog('silent') })).close();
  });
});

describe('the documentation', () => {
  test('explains every key', () => {
    const keys = new Set<string>();
    const look = (node: unknown): void => {
      if (typeof node !== 'object' || node === null) return;
      if ('properties' in node && typeof node.properties === 'object' && node.properties !== null) {
        for (const key of Object.keys(node.properties)) keys.add(key);
      }
      for (const value of Object.values(node)) look(value);
    };
    look(JSON.parse(jsonSchema()));
    expect([...keys].filter((key) => !new RegExp(`\\| \`${key}\` +\\|`).test(explained))).toEqual([]);
  });
});
