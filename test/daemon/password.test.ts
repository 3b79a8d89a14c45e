/** Passwords that are handed over reach every target that takes them, and stay nowhere. */
import { execFile } from 'node:child_process';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Client } from 'ldapts';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { generateKey } from '../../src/passwords/keys.ts';
import { connect, createRegistry, type Registry } from '../setup/registry.ts';
import { until } from '../setup/until.ts';

const cli = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));

/** Notes what it reads; fails as the file `answer` says. */
const script = `#!/bin/sh
cat >> "$(dirname "$0")/../told"; cat "$(dirname "$0")/../answer"
`;

describe('a password that is handed over', () => {
  let registry: Registry;
  let backend: string;
  let key: string;
  const query: Registry['query'] = (sql, values) => registry.query(sql, values);
  const hand = (
    password: string,
    { key = '1', ...more }: { key?: string; old?: string; kind?: string; expires?: string } = {},
  ) =>
    query<{ target: string; note: string }>(
      'select target, note from staffetta.set_password($1, $2, $3, $4, $5, $6::interval)',
      ['person', key, password, more.old ?? null, more.kind ?? 'change', more.expires ?? '1 hour'],
    );
  const journal = () =>
    query(
      `select target, result, cause, message from staffetta.journal where operation = 'password' order by target, at`,
    );
  const answer = (status: number, message: string) =>
    writeFile(join(backend, 'answer'), `${JSON.stringify({ status, message })}\n`);
  const told = async () =>
    (await readFile(join(backend, 'told'), 'utf8'))
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line))
      .filter(({ payload }) => payload.newPassword !== undefined);
  const left = () => query('select target from staffetta.password_due order by 1');

  /** Whether somebody can log in with a password. */
  const opens = async (id: number, password: string): Promise<boolean> => {
    const client = new Client({ url: registry.directory.url });
    try {
      await client.bind((await registry.person(id))?.dn?.[0] ?? '', password);
      return true;
    } catch {
      return false;
    } finally {
      await client.unbind();
    }
  };

  beforeAll(async () => {
    registry = await createRegistry();
    const folder = dirname(registry.file);
    backend = join(folder, 'backends', '00echo');
    await mkdir(join(backend, 'bin'), { recursive: true });
    const actions = [
      ...['IDENTITY_UPDATE', 'IDENTITY_DELETE', 'IDENTITY_DISABLE', 'IDENTITY_ENABLE'],
      ...['IDENTITY_PASSWORD_CHANGE', 'IDENTITY_PASSWORD_RESET'],
    ].map((action) => `  ${action}:\n    script: echo.sh\n`);
    await writeFile(
      join(backend, 'config.yml'),
      `_version: 1\nname: echo\ndescription: notes what it is told\nactive: true\nactions:\n${actions.join('')}`,
    );
    await writeFile(join(backend, 'bin', 'echo.sh'), script);
    await chmod(join(backend, 'bin', 'echo.sh'), 0o755);
    await answer(0, 'ok');
    key = await generateKey();
    await writeFile(join(folder, 'password.key'), key);
    await registry.configure(
      ['version: 1\n', 'version: 1\npasswords: { key: { file: password.key } }\n'],
      [
        '          userPassword: { from: password, secret: true }\n        deprovision: delete\n',
        '        password: exop\n        deprovision: delete\n',
      ],
      [
        'targets:\n',
        `targets:
  programs:
    type: script
    guard: { removals: 100%, changes: 100% }
    entities:
      person:
        id: "{id}"
        password: true
        deprovision: delete
        removeAfter: 0s
        attributes: { inetOrgPerson.uid: "{uid}", inetOrgPerson.cn: "{surname}" }
`,
      ],
    );
    await registry.apply();
    await registry.start();
  });
  afterAll(() => registry.close());
  beforeEach(async () => {
    await answer(0, 'ok');
    await query('delete from registry.person');
    await registry.calm();
    await query(
      `truncate staffetta.journal, staffetta.password cascade; insert into registry.person (id, uid) values (1, 'anna'), (2, 'bruno')`,
    );
    await registry.calm();
    await writeFile(join(backend, 'told'), '');
  });

  test('lets its owner in, and is told to scripts with the old one', async () => {
    expect(await hand('sesam öffne dich', { old: 'former' })).toEqual([
      { target: 'directory', note: 'handed over' },
      { target: 'programs', note: 'handed over' },
    ]);
    await registry.calm();
    expect(await opens(1, 'sesam öffne dich')).toBe(true);
    expect(await opens(2, 'sesam öffne dich')).toBe(false);
    expect(await told()).toMatchObject([
      {
        concernedTo: '1',
        payload: {
          uid: 'anna',
          oldPassword: 'former',
          newPassword: 'sesam öffne dich',
          inetOrgPerson: { cn: 'Rossi' },
        },
      },
    ]);
    expect(await journal()).toEqual([
      { target: 'directory', result: 'done', cause: 'password change', message: null },
      { target: 'programs', result: 'done', cause: 'password change', message: null },
    ]);
    await query('select staffetta.drop_passwords()');
    expect(await query('select from staffetta.password')).toEqual([]);
  });

  test('can be read nowhere on its way', async () => {
    await query(`select staffetta.pause('directory'), staffetta.pause('programs')`);
    await hand('geheimnis');
    const tables = await query<{ relation: string }>(
      `select c.oid::regclass::text as relation from pg_class c where c.relnamespace = 'staffetta'::regnamespace and c.relkind in ('r', 'v', 'p')
         and c.relname not like 'desired%'`,
    );
    for (const { relation } of tables) {
      const found = await query(
        `select t::text from ${relation} t where position('geheimnis' in t::text) > 0 or position($1 in t::text) > 0`,
        [Buffer.from('geheimnis').toString('hex')],
      );
      expect({ relation, found }).toEqual({ relation, found: [] });
    }
    await query(`select staffetta.resume('directory'), staffetta.resume('programs')`);
    await registry.calm();
    expect(await opens(1, 'geheimnis')).toBe(true);
  });

  test('gives way to a newer one', async () => {
    await query(`select staffetta.pause('directory')`);
    await hand('first');
    await hand('second');
    await query(`select staffetta.resume('directory')`);
    await registry.calm();
    expect(await opens(1, 'second')).toBe(true);
    expect(await opens(1, 'first')).toBe(false);
    expect(await left()).toEqual([]);
  });

  test('waits for a target that is away, and for an entry that is not there yet', async () => {
    await registry.directory.stop();
    try {
      expect(await hand('later', { key: '3' })).toMatchObject([
        { note: expect.stringContaining('with the entry') },
        {},
      ]);
      await hand('now');
      await until(left, (targets) => targets.length === 3); // of key 3 both, of key 1 the directory's
    } finally {
      await registry.directory.start();
    }
    await query(`insert into registry.person (id, uid) values (3, 'carla')`);
    await registry.calm();
    expect(await opens(1, 'now')).toBe(true);
    expect(await opens(3, 'later')).toBe(true);
    expect(await left()).toEqual([]);
  });

  test('that a script refuses parks the delivery, until another is handed over', async () => {
    await answer(1, 'too weak: hunter2');
    await query(`update staffetta.parameter set number = 2 where code = 'RETRY_ATTEMPTS'`);
    await hand('hunter2');
    const [parked] = await until(
      () => query<{ error: string }>(`select error from staffetta.delivery where state = 'parked'`),
      ({ length }) => length === 1,
    );
    expect(parked?.error).toMatch(/^its password: /);
    expect(JSON.stringify([parked, await journal()])).not.toContain('hunter2');
    expect(await opens(1, 'hunter2')).toBe(true); // the directory took it
    await answer(0, 'ok');
    await hand('correct horse battery staple');
    await registry.calm();
    expect((await told()).at(-1)).toMatchObject({ payload: { newPassword: 'correct horse battery staple' } });
  });

  test('is dropped when its time is over, which the journal tells', async () => {
    await query(`select staffetta.pause('directory'), staffetta.pause('programs')`);
    await hand('too late', { expires: '50 milliseconds' });
    await until(
      () =>
        query<{ dropped: string }>(
          `select staffetta.drop_passwords(), count(*) as dropped from staffetta.journal where result = 'expired'`,
        ),
      ([row]) => row?.dropped === '2', // one for each target
    );
    await query(`select staffetta.resume('directory'), staffetta.resume('programs')`);
    await registry.calm();
    expect(await opens(1, 'too late')).toBe(false);
    expect(await journal()).toContainEqual({
      target: 'directory',
      result: 'expired',
      cause: 'password change',
      message: 'the password was dropped before the target had it: hand it over again',
    });
  });

  test('is nobody else’s, whatever its row says', async () => {
    await query(`select staffetta.pause('directory'), staffetta.pause('programs')`);
    await hand('of anna');
    await query(`update staffetta.password set key = '2'; select staffetta.replay('person', '2')`);
    await query(`select staffetta.resume('directory'), staffetta.resume('programs')`);
    await until(
      () =>
        query(`select from staffetta.delivery where state = 'parked' and error like '%sealed for another identity%'`),
      ({ length }) => length === 2,
    );
    expect(await opens(2, 'of anna')).toBe(false);
    await query(`truncate staffetta.password cascade; select staffetta.retry()`);
    await registry.calm();
  });

  test('waits for the administrator’s word in manual mode', async () => {
    const become = (mode: string) => query(`update staffetta.target set mode = $1 where target = 'directory'`, [mode]);
    await become('manual');
    await hand('approved');
    await until(
      () => query(`select from staffetta.held where planned like 'password uid=anna,%'`),
      ({ length }) => length === 1,
    );
    expect(await opens(1, 'approved')).toBe(false);
    await query(`select staffetta.approve('directory', 'person', '{1}', 'she asked for it')`);
    await registry.calm();
    expect(await opens(1, 'approved')).toBe(true);
    await become('live');
  });

  test('is given again if it could not be noted that a target has it', async () => {
    await query(`create function registry.fail() returns trigger language plpgsql as $$ begin raise 'not now'; end $$;
      create trigger fail before delete on staffetta.password_due for each row execute function registry.fail()`);
    await hand('twice');
    await until(told, ({ length }) => length === 2);
    await query('drop trigger fail on staffetta.password_due; drop function registry.fail()');
    await registry.calm();
    expect(await left()).toEqual([]);
    expect((await told()).length).toBeGreaterThan(1);
    expect(await opens(1, 'twice')).toBe(true);
  });

  test('has to be somebody’s, and something', async () => {
    await expect(hand('')).rejects.toThrow('The new password is empty');
    await expect(hand('x', { kind: 'guess' })).rejects.toThrow('expected "change" or "reset"');
    await expect(hand('x', { expires: '-1 hour' })).rejects.toThrow('would reach nobody');
    await expect(hand('x', { key: 'one' })).rejects.toThrow('one');
    await expect(query(`select staffetta.set_password('team', '1', 'x')`)).rejects.toThrow(
      'No target takes passwords of team',
    );
  });

  test('is read by the command from standard input', async () => {
    const args = [cli, 'set-password', 'person', '2', '--json', '--config', registry.file];
    const running = promisify(execFile)(process.execPath, args, { env: { ...registry.env, PATH: process.env.PATH } });
    running.child.stdin?.end('from a pipe\n');
    const { stdout, stderr } = await running;
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toHaveLength(2);
    await registry.calm();
    expect(await opens(2, 'from a pipe')).toBe(true);
    expect((await told()).at(-1)).toMatchObject({ payload: { uid: 'bruno', newPassword: 'from a pipe' } });
  });

  test('needs a key that is one, or nothing is applied', async () => {
    const before = await query('select password_key, revision from staffetta.installation');
    await writeFile(join(dirname(registry.file), 'password.key'), 'sesam');
    await expect(registry.apply()).rejects.toThrow('no OpenPGP private key');
    expect(await query('select password_key, revision from staffetta.installation')).toEqual(before);
    await writeFile(join(dirname(registry.file), 'password.key'), key);
  });

  test('is none of an application’s business', async () => {
    const { url } = await registry.createRole();
    const client = await connect(url);
    try {
      await expect(client.query(`select staffetta.set_password('person', '1', 'x')`)).rejects.toThrow(
        'permission denied',
      );
    } finally {
      await client.end();
    }
  });
});
