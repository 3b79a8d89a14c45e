import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import { cases } from '../../../src/conformance/conformance.ts';
import { createLog } from '../../../src/log.ts';
import { createTarget } from '../../../src/targets/registry.ts';

const manual = readFileSync(new URL('../../../docs/targets/own.md', import.meta.url), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'staffetta-manual-'));
afterAll(() => rmSync(folder, { recursive: true }));

test.each(['cards.ts', 'cards.conformance.ts'])('the manual shows %s as it is', (name) => {
  const source = readFileSync(join(import.meta.dirname, name), 'utf8');
  expect(manual).toContain(`\`\`\`ts\n${source}\`\`\``);
});

test('the configuration of the manual is one, and opens the target of the manual', async () => {
  const [, yaml = ''] = /^```yaml\n([\s\S]*?)^```$/m.exec(manual) ?? [];
  const file = join(folder, 'staffetta.yml');
  writeFileSync(file, yaml);
  const { config, warnings, folder: base } = loadConfig(file, { DATABASE_URL: 'postgres://localhost/x' });
  expect(warnings).toEqual([]);
  copyFileSync(join(import.meta.dirname, 'cards.ts'), join(folder, 'cards.ts'));
  mkdirSync(join(folder, 'cards'));
  const { cards } = config.targets;
  if (!cards) throw new Error('the manual has no target cards');
  const target = await createTarget(cards, { name: 'cards', folder: base, log: createLog() });
  const { summary } = await target.ping(AbortSignal.timeout(5000));
  expect(summary).toBe(`cards in ${join(folder, 'cards')}`);
  await target.close();
});

test('the manual explains every method of the interface, and every kind of failure', () => {
  const source = readFileSync(new URL('../../../src/targets/target.ts', import.meta.url), 'utf8');
  const body = source.slice(source.indexOf('export interface Target {'));
  const methods = [...body.matchAll(/^ {2}(?:readonly )?(\w+)\??[(:]/gm)].map(([, name]) => name);
  expect(methods).toContain('normaliseReference');
  expect(methods.filter((name) => !new RegExp(`\`${name}[(:]`).test(manual))).toEqual([]);
  const kinds = [...source.matchAll(/^ {2}\| '([\w-]+)'/gm)].map(([, kind]) => kind);
  expect(kinds).toContain('one-sided');
  expect(kinds.filter((kind) => !manual.includes(`| \`${kind}\` `))).toEqual([]);
});

test('the manual says about how many cases the suite has', () => {
  const [, number = ''] = /\((\d+) cases:/.exec(manual) ?? [];
  expect(Math.abs(Number(number) - cases.length)).toBeLessThan(15);
});
