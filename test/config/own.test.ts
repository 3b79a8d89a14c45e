import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { ConfigError } from '../../src/config/problem.ts';
import { readSecret } from '../../src/config/secret.ts';

const folder = mkdtempSync(join(tmpdir(), 'staffetta-own-'));
afterAll(() => rmSync(folder, { recursive: true }));

const env = { TOKEN: 'hush' };

function load(target: string) {
  const file = join(folder, 'staffetta.yml');
  writeFileSync(
    file,
    `version: 1
database: { url: "postgres://localhost/x" }
entities: { person: { view: v, key: id, sources: {} } }
targets:
  mine: ${target}
`,
  );
  return loadConfig(file, env);
}

function own(target: string) {
  const { mine } = load(target).config.targets;
  if (mine?.type !== 'own') throw new Error(`it is of type ${mine?.type}`);
  return mine;
}

function mistakes(target: string): string[] {
  try {
    load(target);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ path, message }) => `${path.slice(2).join('.')}: ${message}`);
  }
}

const person = 'entities: { person: { id: "{id}" } }';

describe('the type of a target', () => {
  test.each([
    './mine.ts',
    '../x/mine.js',
    '/srv/mine.mjs',
    'mine',
    '@uni/badges',
    '@uni/badges/target',
    'some-package/a.js',
  ])('may be the module %s', (type) => expect(own(`{ type: "${type}", ${person} }`).module).toBe(type));

  test.each([
    ['lap', 'expected ldap, script, or a module of your own such as ./my-target.ts; did you mean "ldap"?'],
    ['skript', 'expected ldap, script, or a module of your own such as ./my-target.ts; did you mean "script"?'],
    ['My Target', 'expected ldap, script, or a module of your own such as ./my-target.ts'],
    ['./', 'expected ldap, script, or a module of your own such as ./my-target.ts'],
  ])('is not %s', (type, message) => {
    const [mistake] = mistakes(`{ type: "${type}", ${person} }`);
    expect(mistake).toBe(`type: found "${type}", ${message.replace('ldap, script, or', kinds())}`);
  });

  test('has to be said, and a target is a mapping', () => {
    expect(mistakes(`{ ${person} }`)).toEqual([
      `type: missing; expected ${kinds()} a module of your own such as ./my-target.ts`,
    ]);
    expect(mistakes('5')).toEqual([': found the number 5, expected a mapping']);
  });
});

/** The kinds that come with Staffetta, as the message lists them. */
function kinds(): string {
  const [, list = ''] = /expected (.* or) a module/.exec(mistakes(`{ type: "!", ${person} }`)[0] ?? '') ?? [];
  expect(list).toMatch(/^ldap, .*script/);
  return list;
}

test('mistakes are those of the kind that is named', () => {
  expect(mistakes(`{ type: ldap, url: "ldap://x", dn: x, ${person} }`)).toEqual([
    expect.stringMatching(/^dn: unknown key\. Known keys: type, .*, url, /),
    'entities.person.dn: missing; expected text',
    expect.stringMatching(/^entities\.person\.id: unknown key\./),
  ]);
  expect(mistakes(`{ type: ./mine.ts, url: "ldap://x", ${person} }`)).toEqual([
    expect.stringMatching(/^url: unknown key\. Known keys: type, .*options/),
  ]);
  expect(mistakes('{ type: ./mine.ts, entities: { person: { dn: "{id}" } } }')).toEqual([
    'entities.person.id: missing; expected text',
    expect.stringMatching(/^entities\.person\.dn: unknown key\./),
  ]);
  expect(mistakes('{ type: ./mine.ts, entities: { person: { id: "{id", disable: { id: "x{" } } } }')).toEqual([
    expect.stringMatching(/^entities\.person\.id: not a template/),
    expect.stringMatching(/^entities\.person\.disable\.id: not a template/),
  ]);
});

test('options are anything at all, with the environment put in', () => {
  const options = `{ url: "https://x/\${TOKEN}", list: [1, { deep: true }], file: { file: x } }`;
  expect(own(`{ type: ./mine.ts, options: ${options}, ${person} }`).options).toEqual({
    url: 'https://x/hush',
    list: [1, { deep: true }],
    file: { file: 'x' },
  });
});

describe('secrets', () => {
  test('are hidden, and read from files in the folder of staffetta.yml', () => {
    writeFileSync(join(folder, 'key'), 'from a file\n');
    const { secrets } = own(`{ type: ./mine.ts, secrets: { token: "\${TOKEN}", key: { file: key } }, ${person} }`);
    expect(JSON.stringify(secrets)).toBe('{"token":"[secret]","key":"[secret]"}');
    expect(Object.values(secrets).map(readSecret)).toEqual(['hush', 'from a file']);
  });

  test('are no part of the revision; options are', () => {
    const { revision } = load(`{ type: ./mine.ts, options: { a: 1 }, secrets: { x: one }, ${person} }`);
    expect(load(`{ type: ./mine.ts, options: { a: 1 }, secrets: { x: { file: y } }, ${person} }`).revision).toBe(
      revision,
    );
    expect(load(`{ type: ./mine.ts, options: { a: 2 }, secrets: { x: one }, ${person} }`).revision).not.toBe(revision);
  });

  test('are not shown where they are wrong', () => {
    const told = mistakes(`{ type: ./mine.ts, secrets: { token: 12345678, other: [hush-hush] }, ${person} }`);
    expect(told).toHaveLength(2);
    expect(told.join('\n')).not.toMatch(/12345678|hush-hush/);
  });
});
