import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createModules, type Modules, well } from './modules.ts';

let modules: Modules;
beforeAll(async () => {
  modules = await createModules();
});
afterAll(() => modules.close());

const summary = async (type: string, more?: Readonly<Record<string, unknown>>) =>
  (await (await modules.open(type, more)).ping(AbortSignal.timeout(5000))).summary;

describe('a module', () => {
  test('is a file in TypeScript, beside staffetta.yml or anywhere', async () => {
    await modules.write({ 'deep/a.ts': `const mark: string = 'typed';\n${well.replace(`'well'`, 'mark')}` });
    expect(await summary('./deep/a.ts')).toBe('typed');
    expect(await summary(`${modules.folder}/deep/a.ts`)).toBe('typed');
  });

  test('is a package that is installed in the folder of staffetta.yml', async () => {
    await modules.write({
      'node_modules/@uni/cards/package.json': '{ "name": "@uni/cards", "type": "module", "exports": "./index.js" }',
      'node_modules/@uni/cards/index.js': well.replace('well', 'a package'),
      'node_modules/plain/package.json': '{ "name": "plain", "main": "main.js" }',
      'node_modules/plain/main.js': `exports.default = ${well.slice('export default'.length)}`,
    });
    expect(await summary('@uni/cards')).toBe('a package');
  });

  test('is loaded anew where its file was changed since', async () => {
    await modules.write({ 'again.mjs': well.replace('well', 'as it was') });
    expect(await summary('./again.mjs')).toBe('as it was');
    await modules.write({ 'again.mjs': well.replace('well', 'as it is') });
    expect(await summary('./again.mjs')).toBe('as it is');
  });

  test('may be opened by a promise, and is told of its options, its place and its entities', async () => {
    await modules.of(
      `export default async (options, context) => {
      globalThis.told = { options, context };
      context.log.warn('hello');
      return { ping: async () => {}, apply: async () => {} };
    };`,
      {
        options: { depth: [1, { two: true }] },
        secrets: { token: 'hush' },
        entities: {
          person: { id: 'p{id}', attributes: { name: '{name}', pin: { from: 'pin', secret: true } } },
          group: { id: '{id}', attributes: { member: { ref: 'person', from: 'members' } } },
          all: { id: '{id}' },
        },
      },
    );
    const told: unknown = Reflect.get(globalThis, 'told');
    expect(told).toMatchObject({
      options: { depth: [1, { two: true }] },
      context: {
        name: 'mine',
        folder: modules.folder,
        entities: {
          person: { id: 'p{id}', attributes: { name: { secret: false }, pin: { secret: true } } },
          group: { attributes: { member: { secret: false, ref: 'person' } } },
          all: { attributes: undefined },
        },
      },
    });
    expect(modules.lines).toContainEqual([{ target: 'mine' }, 'hello']);
  });

  test('is told a secret when it asks for it, as it is then', async () => {
    await modules.write({ token: 'first\n' });
    const target = await modules.of(
      `export default (options, { secret }) => ({
        ping: async () => ({ summary: secret('token') === 'second' ? 'as it is now' : 'old', identity: 'x' }),
        apply: async () => secret('none'),
      });`,
      { secrets: { token: { file: `${modules.folder}/token` } } },
    );
    await modules.write({ token: 'second\n' });
    expect((await target.ping(AbortSignal.timeout(1000))).summary).toBe('as it is now');
    const change = { operation: 'remove', entity: 'person', remoteId: '1' } as const;
    await expect(target.apply(change, AbortSignal.timeout(1000))).rejects.toMatchObject({
      kind: 'misconfigured',
      message: 'staffetta.yml gives no secret "none" under secrets:',
    });
  });
});

describe('a module that cannot be used says why:', () => {
  const files = {
    'none.mjs': 'export const create = 1; export class Cards {}',
    'text.mjs': 'export default "cards"',
    'syntax.ts': 'export default (',
    'throws.mjs': 'throw new Error("no such library");',
    'refuses.mjs': 'export default () => { throw new Error("options.url is missing"); }',
    'nothing.mjs': 'export default () => undefined',
    'half.mjs': 'export default () => ({ apply() {} })',
    'odd.mjs': 'export default () => ({ ping() {}, apply() {}, read: true })',
    'well.mjs': well,
    'node_modules/closed/package.json': '{ "name": "closed", "exports": { "./other": "./x.js" } }',
  };
  beforeAll(() => modules.write(files));

  test.each([
    ['./missing.ts', /^the module \.\/missing\.ts cannot be used: there is no file \/.*\/missing\.ts$/],
    ['./node_modules', /is no file; expected a module, \.ts, \.mjs or \.js$/],
    [
      'cards-of-nobody',
      /no package of this name is installed in .* or above it; a file is written \.\/cards-of-nobody$/,
    ],
    ['closed', /its package\.json exports nothing under this name/],
    [
      './none.mjs',
      /it has no default export that is a function \(it exports Cards, create\); expected `export default/,
    ],
    ['./text.mjs', /it has no default export that is a function \(it exports default\)/],
    ['./syntax.ts', /loading it failed: /],
    ['./throws.mjs', /loading it failed: no such library$/],
    ['./refuses.mjs', /it threw: options\.url is missing$/],
    ['./nothing.mjs', /it gave undefined; expected a target, an object$/],
    ['./half.mjs', /the target that it gave lacks ping\(\)$/],
    ['./odd.mjs', /read of the target that it gave is boolean, expected a function$/],
  ])('%s', async (type, message) => {
    await expect(modules.open(type)).rejects.toMatchObject({
      kind: 'misconfigured',
      message: expect.stringMatching(message),
    });
  });

  test('it lacks what staffetta.yml asks of it', async () => {
    const entities = (more: object) => ({ entities: { person: { id: '{id}', ...more } } });
    await expect(modules.open('./well.mjs', entities({ match: { number: 'id' } }))).rejects.toThrow(
      'entity person has match:, but the target that it gave has no find()',
    );
    await expect(modules.open('./well.mjs', entities({ password: true }))).rejects.toThrow('has no setPassword()');
  });
});
