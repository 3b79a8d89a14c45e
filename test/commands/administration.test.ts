import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { explainCommand } from '../../src/commands/explain.ts';
import { heldCommand } from '../../src/commands/held.ts';
import { journalCommand } from '../../src/commands/journal.ts';
import { pauseCommand } from '../../src/commands/pause.ts';
import { rescanCommand } from '../../src/commands/rescan.ts';
import { resumeCommand } from '../../src/commands/resume.ts';
import { retryCommand } from '../../src/commands/retry.ts';
import { statusCommand } from '../../src/commands/status.ts';
import { sweepCommand } from '../../src/commands/sweep.ts';
import { type Administrator, createAdministrator } from './administrator.ts';

let admin: Administrator;
beforeAll(async () => {
  admin = await createAdministrator();
});
afterAll(() => admin.close());
beforeEach(async () => {
  await admin.db.database.query(
    'truncate registry.person, registry.team, registry.member, staffetta.delivery, staffetta.link, staffetta.journal, staffetta.instance',
  );
  await admin.db.database.query(
    `insert into registry.person (id, uid, name, password) values (42, 'ada', 'Ada', 'geheim')`,
  );
  await admin.db.query(
    `update staffetta.target set state = 'active', reason = null; update staffetta.route set error = null, rescan = 0`,
  );
});

const link = (fingerprint = 'd.fingerprint') =>
  admin.db.query(
    `insert into staffetta.link (target, entity, key, remote_id, attributes, fingerprint)
     select 'directory', 'person', key::text, remote_id, '{"cn": ["Ada"], "userPassword": [{"hash": "00ff"}]}', ${fingerprint} from staffetta.desired_directory_person d`,
  );

describe('status', () => {
  test('shows a line for each entity of each target, and below what needs a person', async () => {
    await link();
    await admin.db.query(
      `insert into staffetta.delivery (target, entity, key, first_at) values ('badge', 'person', '42', now() - interval '3 minutes')`,
    );
    await admin.db.query(`update staffetta.target set mode = 'observe' where target = 'badge'`);
    const { stdout, exitCode } = await admin.run(statusCommand());
    expect(exitCode).toBe(0);
    const lines = stdout.split('\n');
    expect(lines[0]).toMatch(/^target +entity +state +links +pending +claimed +waiting +held +parked +lag +last done$/);
    expect(lines[1]).toMatch(/^badge +person +active +0 +1 +0 +0 +0 +0 +3 min$/);
    expect(lines[2]).toMatch(/^directory +person +active +1 +0 +0 +0 +0 +0$/);
    expect(stdout).toContain('\nevents waiting: 0, daemons running: 0');
    expect(stdout).toContain('\n! no daemon is running: staffetta run');
    expect(stdout).toContain('\n! badge person: the target is only observed: nothing is sent');
  });

  test('answers in JSON with numbers as numbers', async () => {
    const { stdout } = await admin.run(statusCommand(), '--json');
    expect(JSON.parse(stdout)[0]).toMatchObject({
      target: 'badge',
      entity: 'person',
      links: 0,
      lag_seconds: 0,
      daemons: 0,
    });
  });
});

describe('explain', () => {
  const explain = async (...args: string[]) => (await admin.run(explainCommand(), ...args)).stdout;

  test('shows what a target should hold, what it holds, and what a replay would do', async () => {
    await link(`'other'`);
    await admin.db.database.query(`update registry.person set name = 'Ada Byron'`);
    const text = await explain('person', ' 042');
    expect(text).toContain(
      'person 42 on directory\n  scope           in the view\n  desired         uid=ada,ou=people\n                  cn: Ada Byron\n',
    );
    expect(text).toContain('update cn: Ada → Ada Byron');
    expect(text).toContain('→ The target is not as it should be and nothing is owed');
    expect(text).not.toContain('geheim');
    expect(text).not.toContain('00ff');
  });

  test('says of a parked delivery what went wrong, when, and what to do', async () => {
    await admin.db.query(
      `insert into staffetta.delivery (target, entity, key, state, attempts, error_kind, error, error_at, last_cause, last_actor, first_at)
       values ('directory', 'person', '42', 'parked', 1, 'rejected', 'sn is missing', now(), 'update registry.person', 'app', now() - interval '2 hours')`,
    );
    await admin.db.query(
      `insert into staffetta.journal (target, entity, key, operation, result, cause, actor, message) values ('directory', 'person', '42', 'create', 'parked', 'update registry.person', 'app', 'sn is missing')`,
    );
    const text = await explain('person', '42');
    expect(text).toContain('delivery        parked: failed for good until somebody changes something');
    expect(text).toContain('2 h ago, because of update registry.person by app; attempts: 1');
    expect(text).toContain('last error: sn is missing');
    expect(text).toContain('create parked, update registry.person by app: sn is missing');
    expect(text).toContain('else run "staffetta retry directory person 42"');
  });

  test('says of a target that is only observed when what is to be done is done', async () => {
    await admin.db.query(`update staffetta.target set mode = 'observe' where target = 'badge'`);
    const text = await explain('person', '42').finally(() =>
      admin.db.query(`update staffetta.target set mode = 'live'`),
    );
    expect(text).toContain('person 42 on badge (only observed: nothing is sent)\n');
    expect(text).toContain('→ The target is only observed; this is done when its mode is "live".');
    expect(text).toContain('person 42 on directory\n');
  });

  test('tells who is not in the view from who does not meet "only"', async () => {
    expect(await explain('person', '7')).toContain('scope           not in the view');
    await admin.db.database.query('update registry.person set guest = true');
    expect(await explain('person', '42')).toContain('in the view, but does not meet "only"');
  });

  test('is one document with --json, the sentence included', async () => {
    const [badge] = JSON.parse(await explain('person', '42', '--json'));
    expect(badge).toMatchObject({
      target: 'badge',
      key: '42',
      desired: { released: false, attributes: { cn: ['Ada'], userPassword: ['********'] } },
      link: null,
      delivery: null,
      preview: [
        { operation: 'create', attribute: null },
        { attribute: 'cn' },
        { attribute: 'userPassword', after: ['********'] },
      ],
      advice: expect.stringContaining('staffetta replay person 42'),
    });
  });

  test('works where the view is missing', async () => {
    await admin.db.database.query('alter view registry.v_person rename to v_old');
    const text = await explain('person', '42').finally(() =>
      admin.db.database.query('alter view registry.v_old rename to v_person'),
    );
    expect(text).toContain('cannot be told: relation "registry.v_person" does not exist');
    expect(text).toContain('nothing is sent or removed meanwhile');
  });

  test('refuses what it does not know with exit code 2', async () => {
    expect(await admin.run(explainCommand(), 'persn', '1')).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: 'There is no entity "persn". Known entities: person, team.',
    });
    expect(await admin.run(explainCommand(), 'person', 'x')).toMatchObject({
      exitCode: 2,
      stderr: '"x" is not a key of entity "person", whose keys are of type bigint.',
    });
  });
});

describe('journal', () => {
  const journal = async (...args: string[]) =>
    JSON.parse((await admin.run(journalCommand(), '--json', ...args)).stdout).map(
      (row: { message: string }) => row.message,
    );
  beforeEach(() =>
    admin.db.query(
      `insert into staffetta.journal (at, target, entity, key, operation, result, lag, message) values
       (now() - interval '3 days', 'directory', 'person', '42', 'create', 'done', '0.2 s', 'first'),
       (now() - interval '2 hours', 'directory', 'person', '42', 'update', 'parked', '1 s', 'second'),
       (now() - interval '1 hour', 'badge', 'person', '43', 'update', 'done', '1 s', 'third'),
       (now(), 'directory', 'team', '1', 'update', 'done', '1 s', 'fourth')`,
    ),
  );

  test('shows what was done, the newest last', async () => {
    expect(await journal()).toEqual(['first', 'second', 'third', 'fourth']);
    expect(await journal('--limit', '2')).toEqual(['third', 'fourth']);
    const { stdout } = await admin.run(journalCommand(), 'person', '042');
    expect(stdout).toMatch(/3 d ago +directory +person +42 +create +done +0\.2 s +first/);
  });

  test('can be narrowed down', async () => {
    expect(await journal('person')).toEqual(['first', 'second', 'third']);
    expect(await journal('person', ' 42')).toEqual(['first', 'second']);
    expect(await journal('--target', 'badge')).toEqual(['third']);
    expect(await journal('--since', '90m')).toEqual(['third', 'fourth']);
    expect(await journal('--failed')).toEqual(['second']);
    expect(await admin.run(journalCommand(), '--since', 'yesterday')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('Expected a length of time'),
    });
    expect(await admin.run(journalCommand(), '--limit', '0')).toMatchObject({ exitCode: 2 });
  });
});

describe('held', () => {
  const hold = () =>
    admin.db.query(
      `insert into staffetta.delivery (target, entity, key, state, planned, error, last_cause, last_actor, first_at)
       select 'directory', 'person', n::text, 'held', 'remove uid=u' || n, n || ' removals are due', 'rescan', 'owner', now() - interval '5 minutes'
       from generate_series(42, 44) n`,
    );

  test('says how many wait, and why, and what would be done to each', async () => {
    expect((await admin.run(heldCommand())).stdout).toBe('Nothing waits for a word.');
    await hold();
    const lines = (await admin.run(heldCommand(), 'directory', '--limit', '2')).stdout.split('\n');
    expect(lines[1]).toMatch(/^directory +person +guard +3 +42 removals are due$/);
    expect(lines[4]).toMatch(/^directory +person +42 +remove uid=u42 +rescan +owner +\d{4}-.*Z, 5 min ago$/);
    expect(lines.slice(6)).toEqual(['… and 1 more']);
    expect((await admin.run(heldCommand(), 'badge')).stdout).toBe('Nothing waits for a word.');
  });

  test('answers in JSON with each of them', async () => {
    await hold();
    const { stdout } = await admin.run(heldCommand(), '--json', '--limit', '1');
    expect(JSON.parse(stdout)).toMatchObject([{ key: '42', by: 'guard', planned: 'remove uid=u42', actor: 'owner' }]);
  });

  test('refuses a limit that is none', async () => {
    expect(await admin.run(heldCommand(), '--limit', 'few')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('Expected a whole number from 0 on.'),
    });
  });
});

describe('rescan', () => {
  test('says per entity what was compared and what differs', async () => {
    const { stdout, exitCode } = await admin.run(rescanCommand(), '--json');
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toEqual([
      { target: 'badge', entity: 'person', compared: 1, enqueued: 1, error: null },
      { target: 'directory', entity: 'person', compared: 1, enqueued: 1, error: null },
      { target: 'directory', entity: 'team', compared: 0, enqueued: 0, error: null },
    ]);
  });

  test('fails where something could not be compared', async () => {
    await admin.db.database.query('alter view registry.v_team rename to v_old');
    const { exitCode, stdout } = await admin
      .run(rescanCommand(), 'directory')
      .finally(() => admin.db.database.query('alter view registry.v_old rename to v_team'));
    expect(exitCode).toBe(1);
    expect(stdout).toContain('relation "registry.v_team" does not exist');
  });
});

test('pause, resume and retry say what they did, and under whose name', async () => {
  expect((await admin.run(pauseCommand(), 'badge', '--reason', 'moving house')).stdout).toContain(
    'was active, is paused',
  );
  expect(await admin.db.query(`select reason from staffetta.target where target = 'badge'`)).toEqual([
    { reason: 'moving house (carla)' },
  ]);
  expect((await admin.run(resumeCommand(), 'badge')).stdout).toContain('was paused, is active');
  expect(await admin.run(resumeCommand(), 'bagde')).toMatchObject({
    exitCode: 2,
    stderr: 'There is no target "bagde". Known targets: badge, directory.',
  });

  await admin.db.query(
    `insert into staffetta.delivery (target, entity, key, state) values ('badge', 'person', '42', 'parked'), ('badge', 'person', '43', 'parked')`,
  );
  const { stdout } = await admin.run(retryCommand(), 'badge', 'person', '42', '--json');
  expect(JSON.parse(stdout)).toEqual([{ target: 'badge', entity: 'person', deliveries: 1, note: 'due now' }]);
  expect(await admin.db.query('select key, state, last_actor from staffetta.delivery order by key')).toEqual([
    { key: '42', state: 'pending', last_actor: 'carla' },
    { key: '43', state: 'parked', last_actor: null },
  ]);
});

test('sweep says to run apply where that has not been done', async () => {
  expect(await admin.run(sweepCommand())).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('run "staffetta apply"'),
  });
});
