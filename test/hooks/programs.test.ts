import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { create, createWorkshop, done, remove, update, type Workshop } from './workshop.ts';

const sh = `#!/bin/sh
call=$(cat)
printf '%s\\n' "$call" >> told
echo 'a line of a log'
case "$1" in
  well) echo '{"code": 0, "msg": "fine"}' ;;
  code) echo '{"code": -10142, "msg": "not in the register"}' ;;
  panic) echo '{"code": -10101, "msg": "no", "panic": 1}' ;;
  exit) echo 'last words' >&2; exit 3 ;;
  signal) kill -9 $$ ;;
  sleep) sleep 60 ;;
  garbage) echo '{"code": "many"}' ;;
  silent) ;;
  flood) yes 'without end' ;;
esac
`;

const python = `#!/usr/bin/env python3
import json, os, signal, sys, time
call = json.load(sys.stdin)
with open("told", "a") as told: told.write(json.dumps(call) + "\\n")
print("a line of a log", flush=True)
word = sys.argv[1]
if word == "exit": print("last words", file=sys.stderr); sys.exit(3)
if word == "signal": os.kill(os.getpid(), signal.SIGKILL)
if word == "sleep": time.sleep(60)
while word == "flood": print("without end")
if word == "garbage": print('{"code": "many"}')
if word == "well": print(json.dumps({"code": 0, "msg": "fine"}))
if word == "code": print(json.dumps({"code": -10142, "msg": "not in the register"}))
if word == "panic": print(json.dumps({"code": -10101, "msg": "no", "panic": True}))
`;

const node = `#!/usr/bin/env node
const { appendFileSync, readFileSync } = require('node:fs');
const call = readFileSync(0, 'utf8');
appendFileSync('told', call);
console.log('a line of a log');
const word = process.argv[2];
if (word === 'exit') { console.error('last words'); process.exit(3); }
if (word === 'signal') process.kill(process.pid, 'SIGKILL');
if (word === 'sleep') setTimeout(() => {}, 60_000);
if (word === 'flood') setInterval(() => process.stdout.write('without end\\n'.repeat(10_000)), 0);
if (word === 'garbage') console.log('{"code": "many"}');
if (word === 'well') console.log('{"code": 0, "msg": "fine"}');
if (word === 'code') console.log('{"code": -10142, "msg": "not in the register"}');
if (word === 'panic') console.log('{"code": -10101, "msg": "no", "panic": true}');
`;

const told = async ({ folder }: Workshop) =>
  (await readFile(join(folder, 'told'), 'utf8').catch(() => ''))
    .split('\n')
    .slice(0, -1)
    .map((line): unknown => JSON.parse(line));

describe.each([
  ['sh', sh],
  ['Python', python],
  ['Node', node],
])('a hook that is a program in %s', (_, source) => {
  let shop: Workshop;
  const hook = (name: string, ...args: string[]) => ({ name, script: './act', args, timeout: '5s' });

  beforeEach(async () => {
    shop = await createWorkshop({ act: source });
  });
  afterEach(() => shop.close());

  test('is told of a creation before and after it, with everything that there is to say', async () => {
    const round = await shop.round(shop.hooks([hook('one', 'well')]), create);
    expect(await round.before()).toBeUndefined();
    expect(await round.after(done)).toBeUndefined();
    const attributes = [
      { name: 'cn', action: 'add', values: ['Ada Lovelace'] },
      { name: 'mail', action: 'add', values: ['ada@example.org', 'a.l@example.org'] },
      { name: 'userPassword', action: 'add', values: [], secret: true },
    ];
    const call = {
      entity: 'person',
      key: '42',
      target: 'directory',
      remoteId: done.remoteId,
      baseDn: 'dc=example,dc=org',
      actor: 'registrar',
      attributes,
      entry: [
        '<entry dn="uid=ada,ou=people,dc=example,dc=org">',
        '    <attribute ldapname="cn">',
        '        <value>Ada Lovelace</value>',
        '    </attribute>',
        '    <attribute ldapname="mail">',
        '        <value>ada@example.org</value>',
        '        <value>a.l@example.org</value>',
        '    </attribute>',
        '</entry>',
      ].join('\n'),
    };
    const before = { one: { before: { code: 0, msg: 'fine', panic: false } } };
    expect(await told(shop)).toEqual([
      { function: 'beforeCreate', ...call, status: {} },
      { function: 'afterCreate', ...call, status: before, outcome: done },
    ]);
    expect(round.statuses).toEqual([
      { module: 'one', hook: 'beforeCreate', code: 0, message: 'fine', panic: false },
      { module: 'one', hook: 'afterCreate', code: 0, message: 'fine', panic: false },
    ]);
  });

  test('is told of an update in three calls at most, each with only its attributes, and of a removal', async () => {
    const hooks = shop.hooks([hook('one', 'well')]);
    await (await shop.round(hooks, update)).before();
    await (await shop.round(hooks, remove)).before();
    const named = (...names: string[]) => names.map((name) => expect.objectContaining({ name }));
    expect(await told(shop)).toMatchObject([
      { function: 'beforeUpdate', type: 1, attributes: named('mail', 'roomNumber'), renameTo: /ada2/ },
      { function: 'beforeUpdate', type: 2, attributes: named('cn'), renameTo: /ada2/ },
      { function: 'beforeUpdate', type: 3, attributes: named('telephoneNumber') },
      { function: 'beforeRemove', attributes: named('cn', 'telephoneNumber', 'mail') },
    ]);
  });

  test('that fails is recorded as failed, and stops nobody', async () => {
    const words = ['code', 'exit', 'signal', 'garbage', 'silent', 'flood', 'well'];
    const round = await shop.round(shop.hooks(words.map((word) => hook(word, word))), create);
    expect(await round.before()).toBeUndefined();
    expect(round.statuses.map(({ module, code, message }) => [module, code, message])).toEqual([
      ['code', -10142, 'not in the register'],
      ['exit', -10_000, 'ended with 3: last words'],
      ['signal', -10_000, expect.stringMatching(/^was killed by SIGKILL/)],
      ['garbage', -10_000, expect.stringMatching(/^answered nonsense: expected an answer such as /)],
      ['silent', -10_000, 'ended without an answer: a line of a log'],
      ['flood', -10_000, 'printed more than 1 MB, and was killed'],
      ['well', 0, 'fine'],
    ]);
    expect((await told(shop)).at(-1)).toMatchObject({
      status: { code: { before: { code: -10142 } }, flood: { before: { code: -10_000, panic: false } } },
    });
  });

  test('that hangs is killed when its time is over', async () => {
    const round = await shop.round(
      shop.hooks([{ ...hook('slow', 'sleep'), timeout: '300ms' }, hook('next', 'well')]),
      create,
    );
    expect(await round.before()).toBeUndefined();
    expect(round.statuses).toMatchObject([{ message: 'did not answer within 300 ms, and was killed' }, { code: 0 }]);
  });

  test('that panics stops everything that follows', async () => {
    const hooks = shop.hooks([hook('one', 'well'), hook('gate', 'panic'), hook('two', 'well')]);
    const round = await shop.round(hooks, update);
    expect(await round.before()).toBe('hook gate, beforeUpdate add: no');
    expect(round.statuses.map(({ module, hook: name, panic }) => [module, name, panic])).toEqual([
      ['one', 'beforeUpdate add', false],
      ['gate', 'beforeUpdate add', true],
    ]);
  });

  test('is called only for the functions that it has', async () => {
    const round = await shop.round(shop.hooks([{ ...hook('one', 'well'), functions: ['afterCreate'] }]), create);
    await round.before();
    await round.after({ done: false, code: -1, message: 'taken', kind: 'exists', remoteId: done.remoteId });
    expect(await told(shop)).toMatchObject([{ function: 'afterCreate', outcome: { done: false, kind: 'exists' } }]);
  });

  test('sees secrets only where it may, and nobody sees them in what it says', async () => {
    await shop.write({ act: `#!/bin/sh\ntee -a told >/dev/null\necho '{"code": 0, "msg": "it is s3cret"}'\n` });
    const round = await shop.round(shop.hooks([{ ...hook('one'), secrets: true }]), create);
    await round.before();
    const secret = { name: 'userPassword', action: 'add', values: ['s3cret'], secret: true };
    expect(await told(shop)).toMatchObject([{ attributes: [{}, {}, secret], entry: /<value>s3cret<\/value>/ }]);
    expect(round.statuses).toMatchObject([{ message: 'it is ********' }]);
  });
});

describe('a program that is kept', () => {
  const source = `#!/usr/bin/env python3
import json, os, sys
for number, line in enumerate(sys.stdin, 1):
    call = json.loads(line)
    if call["key"] == "dies": sys.exit(4)
    print("a line of a log", flush=True)
    print(json.dumps({"code": 0, "msg": f"{number} {os.environ['PLACE']}"}), flush=True)
`;

  test('answers one call after the other, and is started again when it has died', async () => {
    const shop = await createWorkshop({ act: source });
    const hooks = shop.hooks([{ name: 'one', script: 'act', process: 'stream', env: { PLACE: 'here' } }]);
    const said = async (key: string) => {
      const round = await shop.round(hooks, create, { key });
      await round.before();
      return round.statuses.map(({ code, message }) => `${code} ${message}`).join();
    };
    const all = await Promise.all(['1', '2', 'dies', '3'].map(said));
    expect(all).toEqual(['0 1 here', '0 2 here', '-10000 ended with 4', '0 1 here']);
    await shop.close();
  });
});

describe('the files of hooks', () => {
  test('that are not there, or may not be executed, are told of', async () => {
    const shop = await createWorkshop({ 'folder/file': '' });
    const hooks = shop.hooks([
      { name: 'a', script: 'nowhere' },
      { name: 'b', script: 'folder' },
      { name: 'c', module: 'nowhere.mjs' },
    ]);
    expect(await hooks.mistakes()).toEqual([
      'hook a: there is no file nowhere',
      'hook b: found folder, which is no file',
      'hook c: there is no file nowhere.mjs',
    ]);
    const round = await shop.round(hooks, create);
    await round.before();
    expect(round.statuses.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^could not be started: /),
      expect.stringMatching(/^could not be started: /),
      expect.stringMatching(/^cannot be loaded: /),
    ]);
    await shop.close();
  });
});
