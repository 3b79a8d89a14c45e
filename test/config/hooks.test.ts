/** Mistakes in lists of hooks. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { ConfigError } from '../../src/config/problem.ts';

const folder = mkdtempSync(join(tmpdir(), 'staffetta-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

const file = join(folder, 'staffetta.yml');

/** What is wrong with a file with these hooks: those for all targets begin in line 4, those of the one target in line 8. */
function mistakesIn(general: readonly string[], own: readonly string[] = []): string[] {
  const text = `version: 1
database: { url: postgres://localhost/x }
entities: { person: { view: registry.v_person, key: id, sources: {} } }
hooks: [${general.join(', ')}]
targets:
  programs:
    type: script
    hooks: [${own.join(', ')}]
    entities: { person: { id: "{id}", attributes: { name: "{name}" } } }
`;
  writeFileSync(file, text);
  try {
    loadConfig(file, {});
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message.split('\n').map((line) => line.slice(file.length + 1));
  }
}

const gate = '{ name: gate, module: hooks/gate.ts }';
const badge = '{ name: badge, script: hooks/badge.py, args: [-v], process: stream, functions: [afterCreate] }';
const aosi = '{ perl: plugins/plugins.conf, timeout: 30s, secrets: true }';

test('hooks are ES modules, scripts and lists of Perl modules, with defaults', () => {
  expect(mistakesIn([gate, aosi], [badge])).toEqual([]);
  const { config } = loadConfig(file, {});
  expect(config.hooks).toEqual([
    { kind: 'module', name: 'gate', module: 'hooks/gate.ts', timeout: 10_000, secrets: false },
    { kind: 'perl', perl: 'plugins/plugins.conf', timeout: 30_000, secrets: true },
  ]);
  expect(config.targets.programs?.hooks).toMatchObject([{ kind: 'script', env: {}, functions: ['afterCreate'] }]);
});

test.each([
  ['{ name: gate, modul: x.ts }', /^4:23: hooks\[0\].modul: unknown key; did you mean "module"\?/],
  ['{ module: x.ts }', /^4:9: hooks\[0\].name: missing; expected text$/],
  ['{ name: "a gate", module: x.ts }', /name: found "a gate", expected a name of letters/],
  ['{ name: a, script: x, functions: [beforeSleep] }', /functions\[0\]: found "beforeSleep", expected/],
  ['{ name: a, script: x, process: fork }', /process: found "fork", expected/],
  ['{ name: a, module: x.ts, timeout: 0 }', /timeout: found the number 0, expected a length of time above 0/],
])('%s is a mistake', (hook, expected) => {
  expect(mistakesIn([hook])).toEqual([expect.stringMatching(expected)]);
});

test('a name is had once by the hooks of a target', () => {
  const message = 'found "gate", which another hook is called already; expected each once for a target';
  expect(mistakesIn([gate, gate])).toEqual([`4:56: hooks[1].name: ${message}`]);
  expect(mistakesIn([gate], [badge, gate])).toEqual([
    expect.stringContaining(`targets.programs.hooks[1].name: ${message}`),
  ]);
});
