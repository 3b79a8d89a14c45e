import { existsSync, readFileSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { until } from '../../setup/until.ts';
import { type Backyard, configOf, create, createBackyard, every, well } from './bench.ts';
import { programs } from './programs.ts';

const calm = AbortSignal.timeout(120_000);

describe.concurrent.each(Object.keys(programs))('a program in %s', (language) => {
  let yard: Backyard;
  const source = Object.entries(programs).find(([name]) => name === language)?.[1] ?? '';

  beforeAll(async () => {
    yard = await createBackyard({
      '10one/config.yml': configOf('one', 'act', every, ', onError: stop'),
      '10one/bin/act': source,
    });
  });
  afterAll(() => yard.close());

  test.each([
    ['greet', 'did greet'],
    ['left', 'done'],
    ['held', 'done'],
    ['megabyte', 'after a megabyte'],
    ['latin1', 'caf\uFFFD'],
  ])('that is to "%s" is done, and what it said is kept', async (title, message) => {
    const applied = await yard.target().apply(create(title), calm);
    expect(applied).toMatchObject({
      remoteId: '42',
      data: { message, backends: [{ backend: 'one', action: 'IDENTITY_UPDATE', status: 0, message }] },
    });
    if (title === 'greet') expect(applied.data).toMatchObject({ data: { by: language } });
  });

  test.each([
    ['exit 1', 'unknown', 'exit 1'],
    ['exit 2', 'unknown', 'exit 2'],
    ['exit 4', 'unavailable', 'exit 4'],
    ['exit 8', 'misconfigured', 'exit 8'],
    ['exit 16', 'misconfigured', 'exit 16'],
    ['exit 32', 'rejected', 'exit 32'],
    ['exit 127', 'misconfigured', 'exit 127'],
    ['bare 3', 'unknown', 'ended with 3: last words'],
    ['status 5', 'unknown', 'status 5'],
    ['status 4', 'unavailable', 'status 4'],
    ['signal', 'unknown', /^was killed by SIGSEGV/],
    ['garbage', 'unknown', /^ended well, but printed no result such as .*: \}\}\{\{$/],
    ['silent', 'unknown', 'ended well, but printed no result such as {"status": 0, "message": "done"}'],
    ['trace', 'unknown', 'on stdout'],
    ['stderr', 'unknown', 'on stderr'],
    ['flood', 'unknown', 'printed more than it may (maxOutput), and was killed'],
  ])('that is to "%s" fails as %s', async (title, kind, words) => {
    const message = typeof words === 'string' ? `one, IDENTITY_UPDATE: ${words}` : expect.stringMatching(/^one, /);
    const failure = yard.target().apply(create(title), calm);
    await expect(failure).rejects.toMatchObject({ kind, message, unsure: true });
    if (typeof words !== 'string')
      await expect(failure).rejects.toMatchObject({
        data: { backends: [{ message: expect.stringMatching(words), status: -1 }] },
      });
  });

  test('that does not end in time is killed, and everything that it started', async () => {
    const failure = yard.target().apply(create('children'), AbortSignal.timeout(1500));
    await expect(failure).rejects.toMatchObject({
      kind: 'unavailable',
      unsure: true,
      message: 'one, IDENTITY_UPDATE: did not end within the time limit, and was killed',
    });
    const file = join(yard.folder, '10one/bin/child.pid');
    const pid = Number(readFileSync(file, 'utf8'));
    await until(
      () => isRunning(pid),
      (running) => !running,
    );
    await rm(file);
  });

  test('that repeats a password does so in vain', async () => {
    const { attributes, ...rest } = create('secret');
    const change = { ...rest, attributes: { ...attributes, 'inetOrgPerson.userPassword': ['hush-42'] } };
    const { data } = await yard.target().apply(change, calm);
    expect(data).toMatchObject({ message: 'the password is ********' });
  });
});

/** Whether a process is there and no zombie. */
function isRunning(pid: number): boolean {
  const status = `/proc/${pid}/status`;
  return existsSync(status) && !/^State:\s+Z/m.test(readFileSync(status, 'utf8'));
}

describe('a chain of backends', () => {
  let yard: Backyard;
  const trace = (word: string, end = `echo '{"status": 0, "message": "${word}", "data": {"${word}": true}}'`) =>
    `#!/bin/sh\ncat >/dev/null\necho ${word} >> ../../trace\n${end}\n`;
  const traced = async () =>
    (await readFile(join(yard.folder, 'trace'), 'utf8').catch(() => '')).split('\n').slice(0, -1);

  beforeEach(async () => {
    yard = await createBackyard();
  });
  afterEach(() => yard.close());

  test('runs in the order of its folders, whatever the names, and gathers what is said', async () => {
    await yard.write({
      '20b/config.yml': configOf('aaa', 'act', every),
      '20b/bin/act': trace('second'),
      '100c/config.yml': configOf('zzz', 'act', every),
      '100c/bin/act': trace('first'),
      'readme.txt': 'no backend',
      '30empty/notes': 'no backend',
    });
    const { data } = await yard.target().apply(create(''), calm);
    expect(await traced()).toEqual(['first', 'second']);
    expect(data).toMatchObject({ message: 'first; second', data: { first: true, second: true } });
  });

  test('goes on after a failure, unless onError says stop; it has failed either way', async () => {
    const files = (onError: string) => ({
      '1/config.yml': configOf('fails', 'act', every, onError),
      '1/bin/act': trace('fails', 'exit 1'),
      '2/config.yml': configOf('follows', 'act', every),
      '2/bin/act': trace('follows'),
    });
    for (const [onError, expected] of [
      ['', ['fails', 'follows']],
      [', onError: continue', ['fails', 'follows']],
      [', onError: stop', ['fails']],
    ] as const) {
      await yard.write(files(onError));
      await expect(yard.target().apply(create(''), calm)).rejects.toMatchObject({
        kind: 'unknown',
        unsure: true,
        message: 'fails, IDENTITY_UPDATE: ended with 1',
      });
      expect(await traced()).toEqual(expected);
      await rm(join(yard.folder, 'trace'));
    }
  });

  test('of several failures is as bad as the worst', async () => {
    await yard.write({
      '1/config.yml': configOf('refuses', 'act', every),
      '1/bin/act': trace('refuses', 'exit 32'),
      '2/config.yml': configOf('away', 'act', every),
      '2/bin/act': trace('away', 'exit 4'),
    });
    await expect(yard.target().apply(create(''), calm)).rejects.toMatchObject({
      kind: 'unavailable',
      message: 'refuses, IDENTITY_UPDATE: ended with 32; away, IDENTITY_UPDATE: ended with 4',
    });
  });

  test('leaves out who is not active and whom the action does not concern', async () => {
    await yard.write({
      '1/config.yml': configOf('sleeps', 'act', every).replace('active: true', 'active: false'),
      '1/bin/act': trace('sleeps'),
      '2/config.yml': configOf('removes', 'act', ['IDENTITY_DELETE']),
      '2/bin/act': trace('removes'),
      '3/config.yml': configOf('writes', 'act', ['IDENTITY_UPDATE']),
      '3/bin/act': trace('writes'),
    });
    const target = yard.target();
    await target.apply(create(''), calm);
    await target.apply({ operation: 'remove', entity: 'person', remoteId: '42' }, calm);
    expect(await traced()).toEqual(['writes', 'removes']);
  });

  test('that concerns nobody is an error which says so', async () => {
    await expect(yard.target().apply(create(''), calm)).rejects.toMatchObject({
      kind: 'rejected',
      message:
        'IDENTITY_UPDATE concerns nobody, there is no backend; list it under actions: in a config.yml, then retry',
    });
    await yard.write({
      '1/config.yml': configOf('sleeps', 'act', every).replace('active: true', 'active: false'),
      '1/bin/act': well,
      '2/config.yml': configOf('removes', 'act', ['IDENTITY_DELETE']),
      '2/bin/act': well,
    });
    await expect(yard.target().apply(create(''), calm)).rejects.toMatchObject({
      kind: 'rejected',
      unsure: false,
      message: expect.stringContaining('none of the backends lists it: sleeps (not active), removes'),
    });
  });

  test('calls its programs one action at a time, and stops at the first that fails', async () => {
    await yard.write({
      '1/config.yml': configOf('one', 'act', ['IDENTITY_UPDATE']).concat(
        `  IDENTITY_DISABLE: { script: "act no" }\n  IDENTITY_LIFECYCLE_CHANGED: { script: act }\n`,
      ),
      '1/bin/act': trace('called', `[ -z "$1" ] || exit 1; echo '{"status": 0, "message": "ok"}'`),
    });
    const changes = [{ attribute: 'enabled', action: 'replace', values: ['FALSE'] }] as const;
    const desired = { enabled: ['FALSE'], lifecycle: ['2'] };
    const change = { operation: 'update', entity: 'person', remoteId: '42', changes } as const;
    await expect(yard.target().apply(change, calm, { desired, written: { lifecycle: ['1'] } })).rejects.toMatchObject({
      message: 'one, IDENTITY_DISABLE: ended with 1',
      unsure: true,
    });
    expect(await traced()).toEqual(['called', 'called']);
  });

  test('creates with IDENTITY_CREATE where that is configured', async () => {
    await yard.write({
      '1/config.yml': configOf('one', 'act', ['IDENTITY_CREATE']),
      '1/bin/act': `#!/bin/sh\nprintf '{"status": 0, "message": "ok", "data": {"read": %s}}' "$(cat)"\n`,
    });
    const { data } = await yard.target({ createAction: 'IDENTITY_CREATE' }).apply(create(''), calm);
    expect(data).toMatchObject({ data: { read: { payload: { identity: { action: 'IDENTITY_CREATE' } } } } });
  });

  test('with a broken config.yml fails, while the others are called', async () => {
    await yard.write({
      '1/config.yml': 'name: broken\n',
      '2/config.yml': configOf('good', 'act', every),
      '2/bin/act': trace('good'),
    });
    await expect(yard.target().apply(create(''), calm)).rejects.toMatchObject({
      kind: 'unknown',
      message: expect.stringContaining('1/config.yml:1:1: actions: missing; expected a mapping'),
    });
    expect(await traced()).toEqual(['good']);
  });

  test('sees what was changed in a config.yml, without a restart', async () => {
    await yard.write({ '1/config.yml': configOf('one', 'act', ['IDENTITY_DELETE']), '1/bin/act': trace('one') });
    const target = yard.target();
    await expect(target.apply(create(''), calm)).rejects.toMatchObject({ kind: 'rejected' });
    await yard.write({ '1/config.yml': configOf('one', 'act', ['IDENTITY_UPDATE']) });
    await until(
      () => target.apply(create(''), calm).catch(() => undefined),
      (applied) => applied !== undefined,
    );
    expect(await traced()).toEqual(['one']);
  });

  test('runs several identities at once', async () => {
    // each waits for the other, and gives up after a while
    const meet = `touch ../../$$; for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
      [ $(ls ../.. | grep -c '^[0-9][0-9]') -ge 2 ] && echo '{"status": 0, "message": "met"}' && exit 0; sleep 0.1; done; exit 1`;
    await yard.write({
      '1/config.yml': configOf('one', 'act', every),
      '1/bin/act': `#!/bin/sh\ncat >/dev/null\n${meet}\n`,
    });
    const target = yard.target();
    const met = await Promise.all([target.apply(create(''), calm), target.apply(create(''), calm)]);
    expect(met).toMatchObject([{ data: { message: 'met' } }, { data: { message: 'met' } }]);
    expect((await readdir(yard.folder)).length).toBe(3);
  });
});

describe('a target of programs', () => {
  let yard: Backyard;
  beforeAll(async () => {
    yard = await createBackyard({
      '1/config.yml': configOf('one', 'act', every),
      '1/bin/act': '#!/bin/sh\necho called >> ../../trace\necho "{}"\n',
    });
  });
  afterAll(() => yard.close());

  test('frees an id for another identity without calling anybody', async () => {
    const target = yard.target();
    const renameTo = target.aside('42', '1');
    expect([target.aside('42', '1'), target.aside('42', '2') === renameTo]).toEqual([renameTo, false]);
    const change = { operation: 'update', entity: 'person', remoteId: '42', renameTo, changes: [] } as const;
    expect(await target.apply(change, calm)).toEqual({ remoteId: renameTo });
    expect(existsSync(join(yard.folder, 'trace'))).toBe(false);
  });

  test('does nothing for whoever has given up already', async () => {
    await expect(yard.target().apply(create(''), AbortSignal.abort())).rejects.toMatchObject({
      kind: 'unavailable',
      unsure: false,
    });
    expect(existsSync(join(yard.folder, 'trace'))).toBe(false);
  });

  test('says where a program cannot be started', async () => {
    await yard.write({ '1/bin/act': '#!/no/such/interpreter\n' });
    await expect(yard.target().apply(create(''), calm)).rejects.toMatchObject({
      kind: 'misconfigured',
      unsure: false,
      message: expect.stringMatching(/^one, IDENTITY_UPDATE: could not be started: .*ENOENT/),
    });
  });

  test('tells sets of values apart, not their order', () => {
    const target = yard.target();
    expect(target.same('a', ['x', { base64: 'AA==' }], [{ base64: 'AA==' }, 'x'])).toBe(true);
    expect(target.same('a', ['x'], ['x', 'y'])).toBe(false);
    expect(target.same('a', ['AA=='], [{ base64: 'AA==' }])).toBe(false);
  });
});

describe('what a program is given', () => {
  let yard: Backyard;
  const tell = (what: string) =>
    `#!/bin/sh\ncat >/dev/null\nprintf '{"status": 0, "message": "%s"}' "$(${what} | tr '\\n' ' ' | tr -d '"')"\n`;
  const told = async (more?: Record<string, unknown>) =>
    (await yard.target(more).apply(create(''), calm)).data?.message;

  beforeEach(async () => {
    yard = await createBackyard();
  });
  afterEach(() => yard.close());

  test('is no environment of ours but a path and a language, and what is configured', async () => {
    await yard.write({
      '1/config.yml': configOf('one', 'act', every),
      '1/bin/act': tell("env | sed 's/=.*//' | sort"),
    });
    process.env.STAFFETTA_TEST_SECRET = 'hush';
    try {
      expect(await told({ env: { API_URL: 'http://localhost' } })).toBe('API_URL LANG PATH PWD');
    } finally {
      delete process.env.STAFFETTA_TEST_SECRET;
    }
  });

  test('is its bin as working directory, and its words, read without a shell', async () => {
    const words = `act --active 1 'two words' "a \\"b" $HOME *`;
    await yard.write({
      '1/config.yml': configOf('one', words, every),
      '1/bin/act': tell(`{ pwd; printf '<%s>' "$@"; }`),
    });
    expect(await told()).toMatch(/\/1\/bin <--active><1><two words><a b><\$HOME><\*>$/);
  });

  test('is what a shell makes of it where that is configured', async () => {
    await yard.write({
      '1/config.yml': configOf('one', 'act $WORD; true', every),
      '1/bin/act': tell(`printf '<%s>' "$@"`),
    });
    expect(await told({ shell: true, env: { WORD: 'a b' } })).toBe('<a><b>');
  });
});

describe('ping', () => {
  let yard: Backyard;
  const pinging = () => yard.target().ping(calm);

  beforeEach(async () => {
    yard = await createBackyard();
  });
  afterEach(() => yard.close());

  test('asks everybody who lists PING_TARGET, and names all', async () => {
    await yard.write({
      '1/config.yml': configOf('one', 'act', every),
      '1/bin/act': `#!/bin/sh\ncat > read\necho '{"status": 0, "message": "alive"}'\n`,
      '2/config.yml': configOf('two', 'act', ['IDENTITY_UPDATE']).replace('active: true', 'active: false'),
      '2/bin/act': '#!/bin/sh\nexit 1\n',
    });
    expect(await pinging()).toMatchObject({ summary: 'backends in .: one, two (not active)' });
    expect(JSON.parse(readFileSync(join(yard.folder, '1/bin/read'), 'utf8'))).toEqual({
      concernedTo: null,
      payload: {},
    });
  });

  test('misses an action that identities lead to and nobody lists', async () => {
    const listed = every.filter((action) => action !== 'IDENTITY_ENABLE');
    await yard.write({
      '1/config.yml': configOf('one', 'act', listed),
      '1/bin/act': well,
      '2/config.yml': configOf('two', 'act', every).replace('active: true', 'active: false'),
      '2/bin/act': well,
    });
    await expect(pinging()).rejects.toMatchObject({
      kind: 'misconfigured',
      message: 'no backend in . lists IDENTITY_ENABLE, which entity person leads to',
    });
    expect(await yard.target().mistakes()).toHaveLength(1);
    await yard.write({ '1/config.yml': configOf('one', 'act', every) });
    expect(await yard.target().mistakes()).toEqual([]);
  });

  test('fails as whoever fails', async () => {
    await yard.write({
      '1/config.yml': configOf('away', 'act', every),
      '1/bin/act': '#!/bin/sh\nexit 4\n',
      '2/config.yml': configOf('well', 'act', every),
      '2/bin/act': well,
    });
    await expect(pinging()).rejects.toMatchObject({
      kind: 'unavailable',
      message: 'away, PING_TARGET: ended with 4',
    });
  });

  test('tells every mistake of every config.yml, all others having been asked', async () => {
    await yard.write({
      '1/config.yml': configOf('one', 'no-such', every),
      '2/config.yml': configOf('two', 'act', ['PING_TARGET']),
      '2/bin/act': '#!/bin/sh\nexit 4\n',
    });
    const failure = await pinging().catch((error: unknown) => error);
    expect(failure).toMatchObject({ kind: 'misconfigured' });
    const lines = failure instanceof Error ? failure.message.split('; ') : [];
    expect(lines).toHaveLength(every.length + 1);
    expect(lines[0]).toBe('1/config.yml:5:30: actions.IDENTITY_CREATE.script: there is no file bin/no-such');
    expect(lines.at(-1)).toBe('two, PING_TARGET: ended with 4');
  });

  test('misses a backend that `process:` names, backends in an empty folder, and the folder', async () => {
    await expect(yard.target({ process: { nobody: 'stream' } }).ping(calm)).rejects.toMatchObject({
      kind: 'misconfigured',
      message:
        'process.nobody: there is no backend of this name in .; there is no backend in .: expected folders with a config.yml',
    });
    await expect(yard.target({ backends: 'nowhere' }).ping(calm)).rejects.toMatchObject({
      kind: 'misconfigured',
      message: expect.stringMatching(/^the folder of the backends, .*\/nowhere: there is none$/),
    });
  });
});
