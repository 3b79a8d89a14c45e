import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { jsonSchema } from '../../src/config/json-schema.ts';
import { loadConfig } from '../../src/config/load.ts';

const read = (name: string) => readFileSync(join(import.meta.dirname, '../../docs', name), 'utf8');
const page = read('configuration.md');
// What only one kind of target takes is explained on its own page.
const explained = page + read('targets/http.md') + read('targets/scim.md');
const folder = mkdtempSync(join(tmpdir(), 'staffetta-docs-'));
afterAll(() => rmSync(folder, { recursive: true }));

const examples = [
  ...(page + read('passwords.md') + read('hooks.md') + read('targets/file.md')).matchAll(/^```yaml\n([\s\S]*?)^```$/gm),
].map(([, yaml = '']) => ({
  yaml,
  title: yaml.split('\n')[0],
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

describe('docs/configuration.md, passwords.md, hooks.md and targets/file.md', () => {
  test('has examples', () => expect(examples.length).toBeGreaterThan(4));

  test.each(examples)('example "$title" loads', ({ yaml }) => {
    const file = join(folder, 'staffetta.yml');
    writeFileSync(file, whole(yaml));
    expect(Object.keys(loadConfig(file, env).config)).toContain('targets');
  });

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
