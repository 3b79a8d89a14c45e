import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { backendListCommand } from '../../src/commands/backend-list.ts';
import { backendPayloadCommand } from '../../src/commands/backend-payload.ts';
import { backendPingCommand } from '../../src/commands/backend-ping.ts';
import { backendTestCommand } from '../../src/commands/backend-test.ts';
import { createSite, type Site } from '../apply/site.ts';
import { type Backyard, configOf, createBackyard, well } from '../targets/script/bench.ts';
import { runHere } from './run-here.ts';
import { staffetta } from './staffetta.ts';

let site: Site;
let yard: Backyard;

const configuration = (url: string) => `version: 1
database: { url: "${url}" }
entities: { person: { view: registry.person, key: id, sources: { registry.person: id } } }
targets:
  scripts:
    type: script
    backends: .
    entities:
      person:
        id: "{id}"
        attributes:
          lifecycle: { from: stage, as: number }
          inetOrgPerson.cn: "{name}"
          inetOrgPerson.userPassword: { from: password, secret: true }
`;

const commands: Readonly<Record<string, () => Command>> = {
  ...{ list: backendListCommand, ping: backendPingCommand, payload: backendPayloadCommand, test: backendTestCommand },
};

function run(name: string, ...args: readonly string[]) {
  const command = commands[name]?.();
  if (!command) throw new Error(`there is no command backend ${name}`);
  return runHere(command, ['--config', join(yard.folder, 'staffetta.yml'), ...args]);
}

beforeAll(async () => {
  site = await createSite(`
    create table registry.person (id bigint primary key, name text, stage int, password text);
    insert into registry.person values (1, 'Anna', 2, '{x}hush'), (2, 'Berta', 1, null);`);
  yard = await createBackyard({
    'staffetta.yml': configuration(site.owner.url),
    '10reader/config.yml': configOf('reader', 'act', ['IDENTITY_UPDATE', 'IDENTITY_DELETE', 'PING_TARGET']),
    '10reader/bin/act': `#!/bin/sh\nprintf '{"status": 0, "message": "read it", "data": {"read": %s}}' "$(cat)"\n`,
    '20fails/config.yml': configOf('fails', 'act', ['IDENTITY_UPDATE', 'PING_TARGET']),
    '20fails/bin/act': '#!/bin/sh\nread document\necho "$document" >&2\nexit 4\n',
    '30later/config.yml': configOf('later', 'act', [])
      .replace('active: true', 'active: false')
      .replace('actions:', 'actions: {}'),
  });
  await site.apply(configuration(site.owner.url));
});
afterAll(async () => {
  await yard.close();
  await site.close();
});

describe('staffetta backend', () => {
  test('list shows the backends in the order they run in', async () => {
    const { exitCode, stdout, stderr } = await run('list', '--json');
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(JSON.parse(stdout)).toEqual([
      {
        target: 'scripts',
        folder: '10reader',
        name: 'reader',
        state: 'active',
        process: 'each',
        actions: ['IDENTITY_UPDATE', 'IDENTITY_DELETE', 'PING_TARGET'],
        description: 'reader',
      },
      expect.objectContaining({ folder: '20fails', state: 'active' }),
      expect.objectContaining({ folder: '30later', state: 'not active' }),
    ]);
  });

  test('ping tells who is there, and fails if any is not', async () => {
    const { exitCode, stdout } = await run('ping');
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(
      /^target +backend +result +ms +message\nscripts +reader +ok .*read it\nscripts +fails +failed .*ended with 4: .*\nscripts +later +not asked .*it is not active$/,
    );
    expect(await run('ping', 'reader')).toMatchObject({ exitCode: 0 });
    expect(await run('ping', 'raeder')).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: 'There is no backend "raeder". Did you mean reader? There are: reader, fails, later.',
    });
  });

  test('payload prints what a script would read, secrets only where they are asked for', async () => {
    const { exitCode, stdout } = await run('payload', 'person', '1');
    expect(exitCode).toBe(0);
    const document: unknown = JSON.parse(stdout);
    expect(document).toMatchObject({
      concernedTo: '1',
      payload: {
        identity: {
          action: 'IDENTITY_UPDATE',
          identity: { _id: '1', lifecycle: 2, inetOrgPerson: { cn: 'Anna', userPassword: '********' } },
        },
      },
    });
    expect((await run('payload', 'person', '1', '--secrets')).stdout).toContain('"{x}hush"');
    const piped = spawnSync(join(yard.folder, '10reader/bin/act'), { input: stdout, encoding: 'utf8' });
    expect(JSON.parse(piped.stdout)).toMatchObject({ data: { read: document } });
  });

  test('payload has the shape of each action', async () => {
    const flat = await run('payload', 'person', '2', '--action', 'IDENTITY_DELETE');
    expect(JSON.parse(flat.stdout)).toMatchObject({ concernedTo: '2', payload: { _id: '2', lifecycle: 1 } });
    const lifecycle = await run('payload', 'person', '2', '--action', 'IDENTITY_LIFECYCLE_CHANGED');
    expect(JSON.parse(lifecycle.stdout)).toMatchObject({
      payload: { before: { lifecycle: '' }, after: { lifecycle: 1 } },
    });
    const ping = await run('payload', 'person', '2', '--action', 'PING_TARGET', '--json');
    expect(ping.stdout).toBe('{"concernedTo":null,"payload":{}}');
  });

  test.each<[readonly [string, ...string[]], number, unknown]>([
    [['payload', 'person', '3'], 1, 'Nothing is known of person 3: it is neither in the view nor on scripts.'],
    [['payload', 'team', '3'], 2, 'Target scripts has no entity "team". It has: person.'],
    [
      ['payload', 'person', '1', '--target', 'x'],
      2,
      expect.stringMatching(/staffetta\.yml has no script target "x"\. It has: scripts\.$/),
    ],
    [
      ['test', 'reader', 'person', '1', '--action', 'IDENTITY_ENABLE'],
      2,
      'Backend reader does not list IDENTITY_ENABLE, which so does not concern it.',
    ],
  ])('%j is refused with a sentence', async (args, exitCode, stderr) => {
    expect(await run(...args)).toEqual({ exitCode, stdout: '', stderr });
  });

  test('test calls one backend, really, and hides what is secret', async () => {
    const good = await run('test', 'reader', 'person', '1', '--json');
    expect(good.exitCode).toBe(0);
    expect(JSON.parse(good.stdout)).toMatchObject({
      backend: 'reader',
      action: 'IDENTITY_UPDATE',
      result: 'ok',
      message: 'read it',
      data: {
        read: { payload: { identity: { identity: { inetOrgPerson: { cn: 'Anna', userPassword: '********' } } } } },
      },
    });
    const bad = await run('test', 'fails', 'person', '1', '--json');
    expect(bad.exitCode).toBe(1);
    expect(JSON.parse(bad.stdout)).toMatchObject({ result: 'unavailable', status: 4 });
    expect(good.stdout + bad.stdout).not.toContain('hush');
    expect(await site.query('select count(*)::int as links from staffetta.link')).toEqual([{ links: 0 }]);
  });

  test('apply, ping and list tell the mistakes of a config.yml, with file and line, and go on', async () => {
    await yard.write({ '40bad/config.yml': configOf('bad', 'no', ['IDENTITY_UPDATE']), '40bad/bin/act': well });
    const mistake = '40bad/config.yml:5:30: actions.IDENTITY_UPDATE.script: there is no file bin/no';
    const list = await run('list');
    expect(list).toMatchObject({ exitCode: 1, stderr: mistake });
    expect(list.stdout).toMatch(/scripts +40bad +bad +broken/);
    const ping = await run('ping', '--json');
    expect(JSON.parse(ping.stdout)).toMatchObject([{}, {}, {}, { backend: 'bad', result: 'failed', message: mistake }]);
    const [applied, pinged] = [await staffetta(yard.folder, 'apply'), await staffetta(yard.folder, 'ping', '--json')];
    expect(applied).toMatchObject({ exitCode: 0, stderr: `warning: target scripts: ${mistake}\n` });
    expect(JSON.parse(pinged.stdout)[0]).toMatchObject({ result: 'failed', summary: expect.stringContaining(mistake) });
  });
});
