import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createInstallation, type Installation } from './installation.ts';

let db: Installation;
beforeAll(async () => {
  db = await createInstallation();
});
afterAll(() => db.close());
beforeEach(async () => {
  await db.database.query('truncate registry.person, staffetta.delivery, staffetta.link');
  await db.database.query(
    `insert into registry.person (id, uid, guest) values (42, 'ada', false), (43, 'bob', true), (44, 'eve', false)`,
  );
});

const replay = (...values: unknown[]) =>
  db.query(`select * from staffetta.replay($1, $2::text[], $3, $4)`, [...values, null, null, null].slice(0, 4));
const deliveries = (columns: string) =>
  db.query(`select ${columns} from staffetta.delivery order by target, entity, key`);

describe('replay', () => {
  test('makes a delivery that does not trust the link, due now, with the reason and who asked', async () => {
    await db.query(`select set_config('staffetta.actor', 'carla', false)`);
    expect(await replay('person', ['42'], 'directory', 'ticket 7')).toEqual([
      { target: 'directory', entity: 'person', key: '42', note: 'queued: not on the target yet' },
    ]);
    expect(
      await deliveries(
        'key, state, unsure, priority, attempts, first_cause, last_cause, due_at <= clock_timestamp() as due',
      ),
    ).toEqual([
      {
        key: '42',
        state: 'pending',
        unsure: true,
        priority: 0,
        attempts: 0,
        first_cause: 'replay: ticket 7',
        last_cause: 'replay: ticket 7',
        due: true,
      },
    ]);
  });

  test('goes to every target that has the entity, unless one is named', async () => {
    expect((await replay('person', ['42'])).map(({ target }) => target)).toEqual(['badge', 'directory']);
    expect(await db.query(`select target, key from staffetta.replay('person', '42')`)).toEqual([
      { target: 'badge', key: '42' },
      { target: 'directory', key: '42' },
    ]);
  });

  test('takes a key as a person writes it, and each key once', async () => {
    expect((await replay('person', [' 42', '042', '42 ', '44'], 'directory')).map(({ key }) => key)).toEqual([
      '42',
      '44',
    ]);
  });

  test('lifts what was parked or had failed, and lets a claimed one be looked at again', async () => {
    await db.query(
      `insert into staffetta.delivery (target, entity, key, rev, state, attempts, due_at, priority, token, claimed_rev, wait_entity, wait_key) values
       ('directory', 'person', '42', 3, 'parked', 10, now() + interval '1 hour', 1, null, null, null, null),
       ('directory', 'person', '43', 3, 'waiting', 2, now() + interval '1 hour', 1, null, null, 'person', '44'),
       ('directory', 'person', '44', 3, 'pending', 0, now(), 0, gen_random_uuid(), 3, null, null)`,
    );
    await replay('person', ['42', '43', '44'], 'directory');
    const same = { rev: '4', state: 'pending', attempts: 0, priority: 0, unsure: true, due: true, wait_key: null };
    expect(
      await deliveries(
        'key, rev, state, attempts, priority, unsure, due_at <= clock_timestamp() as due, wait_key, claimed_rev',
      ),
    ).toEqual([
      { ...same, key: '42', claimed_rev: null },
      { ...same, key: '43', claimed_rev: null },
      { ...same, key: '44', claimed_rev: '3' },
    ]);
  });

  test('says what a replay can do', async () => {
    await db.query(
      `insert into staffetta.link (target, entity, key, remote_id, attributes) values
       ('directory', 'person', '44', 'uid=eve', '{}'), ('directory', 'person', '45', 'uid=gone', '{}')`,
    );
    expect((await replay('person', ['42', '43', '44', '45', '46'], 'directory')).map(({ note }) => note)).toEqual([
      'queued: not on the target yet',
      'queued, though there is nothing to do: in the view, but not meeting "only", and not on the target',
      'queued: the live entry will be compared and mended',
      'queued: no longer in the view, will be deprovisioned',
      'queued, though there is nothing to do: neither in the view nor on the target',
    ]);
    await db.query(`select * from staffetta.pause('directory', 'moving house')`);
    expect(await replay('person', ['44'], 'directory')).toMatchObject([
      { note: 'queued: the live entry will be compared and mended; the target is paused' },
    ]);
    await db.query(`select * from staffetta.resume('directory')`);
  });

  test.each([
    ['an entity that is not there', ['persn', ['1']], 'There is no entity "persn". Known entities: person, team.'],
    [
      'a target that is not there',
      ['person', ['1'], 'dir'],
      'There is no target "dir". Known targets: badge, directory.',
    ],
    [
      'an entity that the target does not have',
      ['team', ['1'], 'badge'],
      'There is no entity "team" on target "badge". Known entities: person.',
    ],
    [
      'a key of another type',
      ['person', ['1', 'x y']],
      '"x y" is not a key of entity "person", whose keys are of type bigint.',
    ],
    [
      'a key out of range',
      ['person', ['9'.repeat(30)]],
      `"${'9'.repeat(30)}" is not a key of entity "person", whose keys are of type bigint.`,
    ],
    ['no key', ['person', ['1', null]], 'A key of entity "person" is missing (null).'],
  ])('refuses %s', async (_, values, message) => {
    await expect(replay(...values)).rejects.toThrow(message);
    expect(await deliveries('key')).toEqual([]);
  });

  test('of very many tells the planner of them at once', async () => {
    await db.database.query(
      `insert into registry.person (id, uid, name) select n, 'p' || n, 'P' from generate_series(10001, 11001) n`,
    );
    await db.query(`select * from staffetta.replay_all('person', 'badge')`);
    const known = await db.query(
      `select reltuples >= 1001 as known from pg_class where oid = 'staffetta.delivery'::regclass`,
    );
    expect(known).toEqual([{ known: true }]);
    await db.database.query('delete from registry.person where id > 10000');
  });

  test('of all takes everybody who is in the view or on the target, behind others', async () => {
    await db.query(
      `insert into staffetta.link (target, entity, key, remote_id, attributes) values ('directory', 'person', '45', 'uid=gone', '{}')`,
    );
    expect(await db.query(`select * from staffetta.replay_all('person', 'directory', 'new server')`)).toEqual([
      { target: 'directory', entity: 'person', deliveries: '3', note: 'queued' },
    ]);
    const same = { priority: 1, unsure: true, last_cause: 'replay: new server' };
    expect(await deliveries('key, priority, unsure, last_cause')).toEqual([
      { key: '42', ...same },
      { key: '44', ...same },
      { key: '45', ...same },
    ]);
  });
});

describe('retry', () => {
  beforeEach(() =>
    db.query(
      `insert into staffetta.delivery (target, entity, key, state, attempts, due_at, token, wait_key) values
       ('badge', 'person', '1', 'parked', 10, now(), null, null),
       ('directory', 'person', '1', 'parked', 10, now(), null, null),
       ('directory', 'person', '2', 'waiting', 1, now() + interval '1 hour', null, '9'),
       ('directory', 'person', '3', 'pending', 4, now() + interval '1 hour', null, null),
       ('directory', 'person', '4', 'pending', 4, now(), gen_random_uuid(), null),
       ('directory', 'person', '5', 'pending', 0, now(), null, null),
       ('directory', 'person', '6', 'held', 0, now(), null, null)`,
    ),
  );
  const retry = (...values: unknown[]) =>
    db.query('select * from staffetta.retry($1, $2, $3::text[])', [...values, null, null, null].slice(0, 3));
  const touched = async () =>
    (
      await db.query(`select target || ' ' || key as id from staffetta.delivery where last_cause = 'retry' order by 1`)
    ).map(({ id }) => id);

  test('makes due what failed, is parked or waits, and leaves alone what is claimed, held or on its way', async () => {
    expect(await retry('directory')).toEqual([
      { target: 'directory', entity: 'person', deliveries: '3', note: 'due now' },
      { target: 'directory', entity: 'team', deliveries: '0', note: 'nothing to try again' },
    ]);
    expect(await touched()).toEqual(['directory 1', 'directory 2', 'directory 3']);
    expect(
      await db.query(
        `select distinct state, attempts, wait_key, due_at <= clock_timestamp() as due from staffetta.delivery where last_cause = 'retry'`,
      ),
    ).toEqual([{ state: 'pending', attempts: 0, wait_key: null, due: true }]);
  });

  test('takes all targets, or single keys', async () => {
    await retry(null, 'person', ['01']);
    expect(await touched()).toEqual(['badge 1', 'directory 1']);
    await retry();
    expect(await touched()).toEqual(['badge 1', 'directory 1', 'directory 2', 'directory 3']);
    await expect(retry('directory', null, ['1'])).rejects.toThrow('Of which entity are these keys?');
  });

  test('lifts the quarantine of the targets concerned', async () => {
    await db.query(`update staffetta.target set state = 'quarantined', reason = 'wrong password', failures = 3`);
    expect(await retry('badge')).toContainEqual({
      target: 'badge',
      entity: null,
      deliveries: null,
      note: 'was quarantined, is active',
    });
    expect(await db.query('select target, state, reason, failures from staffetta.target order by 1')).toEqual([
      { target: 'badge', state: 'active', reason: null, failures: 0 },
      { target: 'directory', state: 'quarantined', reason: 'wrong password', failures: 3 },
    ]);
    await db.query(`select * from staffetta.resume('directory')`);
  });
});

test('pause and resume say what was before, and who did it', async () => {
  await db.query(`select set_config('staffetta.actor', 'carla', false)`);
  const notes = async (sql: string) => (await db.query(sql)).map(({ note }) => note);
  expect(await notes(`select note from staffetta.pause('badge', 'moving house')`)).toEqual(['was active, is paused']);
  expect(await notes(`select note from staffetta.pause('badge')`)).toEqual(['was paused already']);
  expect(await notes(`select note from staffetta.resume('badge')`)).toEqual(['was paused, is active']);
  expect(await notes(`select note from staffetta.resume('badge')`)).toEqual(['was active already']);
  await expect(db.query(`select staffetta.pause('bagde')`)).rejects.toThrow('There is no target "bagde"');
});

test('a parameter is set with plain SQL, and a value that cannot work is refused with a sentence', async () => {
  const set = (number: string) =>
    db.query(`update staffetta.parameter set number = $1 where code = 'POLL_SECONDS'`, [number]);
  await set('5');
  expect(await db.query(`select number from staffetta.parameter where code = 'POLL_SECONDS'`)).toEqual([
    { number: '5' },
  ]);
  await expect(set('0')).rejects.toThrow('POLL_SECONDS cannot be 0; expected a number from 0.1 to 60.');
  await expect(set('NaN')).rejects.toThrow('POLL_SECONDS cannot be NaN');
  await expect(db.query(`update staffetta.parameter set number = null where code = 'POLL_SECONDS'`)).rejects.toThrow(
    'POLL_SECONDS needs a number',
  );
  await expect(db.query(`update staffetta.parameter set number = 'infinity' where code = 'BULK_ROWS'`)).rejects.toThrow(
    'BULK_ROWS cannot be Infinity; expected 1 or more.',
  );
});

test('sweep asks for one sweep, however often it is called', async () => {
  await expect(db.query('select staffetta.sweep()')).rejects.toThrow('run "staffetta apply"');
  const { runMigrations } = await import('graphile-worker');
  await runMigrations({ connectionString: db.owner });
  await db.query('select * from staffetta.sweep()');
  expect(await db.query('select note from staffetta.sweep()')).toEqual([
    { note: 'a sweep was asked for; no daemon is running, so it is done when one starts' },
  ]);
  expect(await db.query('select task_identifier, key from graphile_worker.jobs')).toEqual([
    { task_identifier: 'sweep', key: 'sweep' },
  ]);
});
