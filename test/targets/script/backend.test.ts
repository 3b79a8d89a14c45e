import { chmod, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Backends, isBroken } from '../../../src/targets/script/backends.ts';
import { type Backyard, configOf, createBackyard, well } from './bench.ts';

const good = `_version: 1
name: dummy
description: Dummy backend for tests
active: true
actions:
  IDENTITY_UPDATE:
    script: 'act --level 2'
    onError: 'stop'
  PING_TARGET:
    script: act
`;

describe('config.yml', () => {
  let yard: Backyard;
  const read = () => new Backends('backyard', join(yard.folder, '..')).again();
  const mistakes = async (config: string) => {
    await yard.write({ '1/config.yml': config });
    const [backend] = await new Backends('.', yard.folder).again();
    if (!backend || !isBroken(backend)) throw new Error('found nothing wrong with it');
    return backend.mistakes;
  };

  beforeEach(async () => {
    yard = await createBackyard({ '1/bin/act': well, '1/config.yml': good });
  });
  afterEach(() => yard.close());

  test('says what is run for which action', async () => {
    const [backend] = await new Backends('.', yard.folder).again();
    if (!backend || isBroken(backend)) throw new Error('it is broken');
    expect(backend).toMatchObject({ folder: '1', name: 'dummy', description: 'Dummy backend for tests', active: true });
    const bin = join(yard.folder, '1/bin');
    expect([...backend.steps]).toEqual([
      [
        'IDENTITY_UPDATE',
        {
          onError: 'stop',
          program: {
            line: 'act --level 2',
            file: join(bin, 'act'),
            arguments: ['--level', '2'],
            rest: '--level 2',
            directory: bin,
          },
        },
      ],
      ['PING_TARGET', { onError: 'continue', program: expect.objectContaining({ arguments: [] }) }],
    ]);
  });

  test('may list actions that Sesame will have one day', async () => {
    await yard.write({ '1/config.yml': good.replace('PING_TARGET', 'GROUP_UPDATE') });
    expect(await new Backends('.', yard.folder).again()).toMatchObject([{ name: 'dummy', active: true }]);
  });

  test.each([
    [
      'name: dummy',
      'nam: dummy',
      [
        '1/config.yml:2:1: nam: unknown key; did you mean "name"? Known keys: _version, name, description, active, actions',
      ],
    ],
    ['name: dummy\n', '', ['1/config.yml:1:1: name: missing; expected text']],
    ['name: dummy', 'name: ""', ['1/config.yml:2:1: name: found "", expected a name']],
    ['_version: 1', '_version: 2', ['1/config.yml:1:11: _version: found the number 2, expected 1']],
    ['description: Dummy backend for tests\n', '', ['1/config.yml:1:1: description: missing; expected text']],
    ['active: true', 'active: maybe', ['1/config.yml:4:9: active: found text "maybe", expected true or false']],
    [
      "onError: 'stop'",
      "onError: 'halt'",
      ['1/config.yml:8:14: actions.IDENTITY_UPDATE.onError: found "halt", expected stop or continue'],
    ],
    ['PING_TARGET', 'PING_TARGT', ['1/config.yml:9:3: actions.PING_TARGT: unknown action; did you mean PING_TARGET?']],
    [
      'script: act\n',
      'script: nobody\n',
      ['1/config.yml:10:13: actions.PING_TARGET.script: there is no file bin/nobody'],
    ],
    [
      'script: act\n',
      'script: ../config.yml\n',
      [
        '1/config.yml:10:13: actions.PING_TARGET.script: found "../config.yml", which lies outside of its bin; expected a file in it',
      ],
    ],
    [
      'script: act\n',
      'script: /bin/sh\n',
      ['1/config.yml:10:13: actions.PING_TARGET.script: there is no file bin//bin/sh'],
    ],
    [
      'script: act\n',
      'script: linked\n',
      [
        '1/config.yml:10:13: actions.PING_TARGET.script: found "linked", which lies outside of its bin; expected a file in it',
      ],
    ],
    [
      'script: act\n',
      'script: folder\n',
      ['1/config.yml:10:13: actions.PING_TARGET.script: found "folder", which is no file'],
    ],
    [
      'script: act\n',
      'script: "act \'open"\n',
      ['1/config.yml:10:13: actions.PING_TARGET.script: expected every quote to be closed'],
    ],
    [
      'script: act\n',
      'script: ""\n',
      ['1/config.yml:10:5: actions.PING_TARGET.script: expected the name of a file in bin'],
    ],
    [
      'script: act\n',
      'script: ../../1/bin/plain\n',
      [
        '1/config.yml:10:13: actions.PING_TARGET.script: bin/../../1/bin/plain may not be executed: give it the right (chmod +x), and us to its folder',
      ],
    ],
  ])('with %j written %j is told with file and line', async (passage, instead, expected) => {
    await symlink('/bin/sh', join(yard.folder, '1/bin/linked'));
    await yard.write({ '1/bin/folder/x': '' });
    await writeFile(join(yard.folder, '1/bin/plain'), 'text');
    await chmod(join(yard.folder, '1/bin/plain'), 0o644);
    expect(good).toContain(passage);
    expect(await mistakes(good.replace(passage, instead))).toEqual(expected);
  });

  test('with several mistakes is told of all, in their order', async () => {
    expect(
      await mistakes(
        'name: dummy\nactive: 1\nactions:\n  IDENTITY_UPDATE: { script: no }\n  identity_delete: { script: act, after: 5 }\n',
      ),
    ).toEqual([
      '1/config.yml:1:1: description: missing; expected text',
      '1/config.yml:2:9: active: found the number 1, expected true or false',
      '1/config.yml:4:30: actions.IDENTITY_UPDATE.script: there is no file bin/no',
      '1/config.yml:5:3: actions.identity_delete: unknown action; did you mean IDENTITY_DELETE?',
      '1/config.yml:5:35: actions.identity_delete.after: unknown key. Known keys: script, onError',
    ]);
  });

  test('that is no YAML, or nothing, is told so', async () => {
    expect(await mistakes('name: "open')).toEqual([expect.stringMatching(/^1\/config\.yml:1:\d+: not YAML: /)]);
    expect(await mistakes('')).toEqual([expect.stringMatching(/^1\/config\.yml:1:1: .*expected a mapping/)]);
  });

  test('that says it is not active is not judged', async () => {
    await yard.write({ '1/config.yml': 'name: later\nactive: false\n' });
    expect(await new Backends('.', yard.folder).again()).toMatchObject([{ name: 'later', active: false }]);
  });

  test('may not give the name of another backend', async () => {
    await yard.write({ '2/config.yml': configOf('dummy', 'act', ['PING_TARGET']), '2/bin/act': well });
    expect(await new Backends('.', yard.folder).again()).toMatchObject([
      { name: 'dummy', active: true },
      { mistakes: ['2/config.yml: name: found "dummy", which 1 is called already; expected each once'] },
    ]);
  });

  test('is looked for in the folder that is configured', async () => {
    await expect(read()).rejects.toMatchObject({
      kind: 'misconfigured',
      message: expect.stringContaining('there is none'),
    });
  });
});

describe('the dummy backend', () => {
  test('is the one of the manual, ready to be copied', async () => {
    const found = await new Backends('backends', join(import.meta.dirname, '../../..')).again();
    expect(found).toMatchObject([{ folder: '00dummy', name: 'dummy', active: true }]);
  });
});
