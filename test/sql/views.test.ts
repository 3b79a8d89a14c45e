import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createInstallation, type Installation } from './installation.ts';

let db: Installation;
beforeAll(async () => {
  db = await createInstallation();
  await db.query(
    `create table staffetta.journal_now partition of staffetta.journal for values from ('2000-01-01') to ('2100-01-01')`,
  );
});
afterAll(() => db.close());
beforeEach(async () => {
  await db.database.query(
    `truncate registry.person, staffetta.delivery, staffetta.link, staffetta.journal, staffetta.event_failed, staffetta.source, staffetta.instance`,
  );
  await db.query(
    `update staffetta.target set state = 'active', reason = null; update staffetta.route set error = null, error_at = null, rescan = 0`,
  );
});

const daemon = (message: string | null = null) =>
  db.query(
    `insert into staffetta.instance (instance, host, pid, version, revision, state, message) values (gen_random_uuid(), 'a', 7, '1', 'r', 'running', $1)`,
    [message],
  );

const mixed = `
  insert into staffetta.delivery (target, entity, key, state, token, lease_until, attempts, error_kind, error, error_at, wait_entity, wait_key, due_at, first_at, absent_since, first_cause) values
  ('directory', 'person', '1', 'pending', null, null, 0, null, null, null, null, null, now() - interval '1 minute', now() - interval '90 s', null, 'update registry.person'),
  ('directory', 'person', '2', 'pending', gen_random_uuid(), now() + interval '1 minute', 0, null, null, null, null, null, now(), now(), null, null),
  ('directory', 'person', '3', 'pending', null, null, 3, 'unknown', 'server said 80', now(), null, null, now() + interval '1 hour', now(), null, null),
  ('directory', 'person', '4', 'waiting', null, null, 0, null, null, null, 'person', '5', now(), now(), null, null),
  ('directory', 'person', '5', 'parked', null, null, 1, 'exists', 'uid=eve is taken', now(), null, null, now(), now(), null, null),
  ('directory', 'person', '6', 'held', null, null, 0, null, '30 removals are due', null, null, null, now(), now(), null, null),
  ('directory', 'person', '7', 'pending', null, null, 0, null, null, null, null, null, now() + interval '10 s', now() - interval '1 hour', now(), null)`;

describe('status', () => {
  test('counts what is there and what is owed, and how late it is', async () => {
    await daemon();
    await db.query(mixed);
    await db.query(
      `insert into staffetta.link (target, entity, key, remote_id, attributes) values ('directory', 'person', '8', 'x', '{}')`,
    );
    await db.query(
      `insert into staffetta.journal (target, entity, key, operation, result, at) values ('directory', 'person', '8', 'create', 'done', '2026-01-31 08:00Z')`,
    );
    const rows = await db.query(
      `select target, entity, state, links::int, pending::int, claimed::int, waiting::int, held::int, parked::int, retrying::int, lag_seconds::float8, last_done_at, daemons::int, attention from staffetta.status order by 1, 2`,
    );
    expect(rows.map(({ target, entity }) => `${target} ${entity}`)).toEqual([
      'badge person',
      'directory person',
      'directory team',
    ]);
    expect(rows[1]).toMatchObject({
      state: 'active',
      links: 1,
      pending: 3,
      claimed: 1,
      waiting: 1,
      held: 1,
      parked: 1,
      retrying: 1,
      daemons: 1,
      last_done_at: new Date('2026-01-31T08:00Z'),
      attention: [
        '1 held by the guard: staffetta held, then approve or discard',
        '1 parked: select * from staffetta.failures',
      ],
    });
    expect(rows[1]?.lag_seconds).toBeGreaterThan(90);
    expect(rows[1]?.lag_seconds).toBeLessThan(150);
    expect(rows[0]).toMatchObject({ links: 0, pending: 0, lag_seconds: 0, attention: [] });
  });

  test('says loudly what needs a person', async () => {
    await db.query(
      `update staffetta.target set state = 'quarantined', reason = 'wrong password' where target = 'badge'`,
    );
    await db.query(
      `insert into staffetta.source (source, relation, columns, notify, error, error_at) values ('registry.person', 0, '{}', true, 'no column', now())`,
    );
    await db.query(
      `insert into staffetta.event_failed (seq, xid, at, source, op, actor, error) values (1, '1', now(), 'registry.person', 'U', 'x', 'bad key')`,
    );
    expect(await db.query(`select attention from staffetta.status where target = 'badge'`)).toEqual([
      {
        attention: [
          'the target is quarantined: wrong password',
          '1 source(s) cannot be ingested: select * from staffetta.failures',
          '1 event(s) could not be ingested: select * from staffetta.failures',
          'no daemon is running: staffetta run',
        ],
      },
    ]);
  });
});

test('backlog says of each delivery why it has not been paid', async () => {
  await db.query(mixed);
  expect(
    await db.query(`select key, state, why, next_attempt is not null as timed from staffetta.backlog order by key`),
  ).toEqual([
    { key: '1', state: 'pending', why: 'due', timed: true },
    { key: '2', state: 'claimed', why: 'a worker is at it', timed: true },
    { key: '3', state: 'pending', why: 'attempt 3 failed; the next is due', timed: true },
    { key: '4', state: 'waiting', why: 'waits for person 5', timed: true },
    { key: '5', state: 'parked', why: 'failed for good until somebody changes something', timed: false },
    { key: '6', state: 'held', why: 'held by the guard: 30 removals are due', timed: false },
    { key: '7', state: 'pending', why: 'left the view; its removal waits a moment for a return', timed: true },
  ]);
  await db.query(`update staffetta.target set state = 'paused', reason = 'moving house' where target = 'directory'`);
  expect(await db.query(`select why from staffetta.backlog where key = '1'`)).toEqual([
    { why: 'the target is paused: moving house' },
  ]);
});

test('failures says of everything that does not go by itself what to do', async () => {
  await daemon('the configuration differs from the one applied');
  await db.query(mixed);
  await db.query(`update staffetta.target set state = 'quarantined', reason = 'wrong password' where target = 'badge'`);
  await db.query(
    `update staffetta.route set error = 'no view', error_at = now() where target = 'directory' and entity = 'team'`,
  );
  await db.query(
    `insert into staffetta.source (source, relation, columns, notify, error, error_at) values ('registry.person', 0, '{}', true, 'no column', now())`,
  );
  await db.query(
    `insert into staffetta.event_failed (seq, xid, at, source, op, cols, actor, error) values (1, '1', now(), 'registry.person', 'U', '{4,null}', 'x', 'bad key')`,
  );
  const rows = await db.query(
    `select failure, target, key, message, what_to_do from staffetta.failures order by failure, key`,
  );
  expect(rows.map(({ what_to_do, ...row }) => row)).toEqual([
    {
      failure: 'daemon',
      target: null,
      key: null,
      message: 'a, process 7: the configuration differs from the one applied',
    },
    { failure: 'desired state', target: 'directory', key: null, message: 'no view' },
    { failure: 'event', target: null, key: '4, null', message: 'bad key' },
    { failure: 'parked', target: 'directory', key: '5', message: 'uid=eve is taken' },
    { failure: 'retrying', target: 'directory', key: '3', message: 'server said 80' },
    { failure: 'source', target: null, key: null, message: 'no column' },
    { failure: 'target quarantined', target: 'badge', key: null, message: 'wrong password' },
  ]);
  for (const { what_to_do } of rows) expect(what_to_do).toMatch(/\.$/);
  expect(rows[3]?.what_to_do).toContain(`select staffetta.retry('directory', 'person', '{5}')`);
});

test('a daemon that is missing is a failure only where something is owed', async () => {
  const failures = () => db.query('select failure, message from staffetta.failures');
  expect(await failures()).toEqual([]);
  await db.query(`update staffetta.route set rescan = 1`);
  expect(await failures()).toEqual([{ failure: 'daemon', message: 'no daemon is running' }]);
});

test('out_of_scope shows who is captured but not in the view, and who does not meet "only"', async () => {
  await db.database.query(
    `insert into registry.person (id, uid, guest, hidden) values (1, 'a', false, false), (2, 'b', true, false), (3, 'c', false, true)`,
  );
  await db.query(
    `insert into staffetta.link (target, entity, key, remote_id, attributes) values ('badge', 'person', '3', 'x', '{}')`,
  );
  const outOfScope = () => db.query(`select target, key, why, on_target from staffetta.out_of_scope order by 1, 2`);
  const guest = { key: '2', why: 'in the view, but does not meet "only"', on_target: false };
  expect(await outOfScope()).toEqual([
    { target: 'badge', ...guest },
    { target: 'directory', ...guest },
  ]);

  await db.database.query(
    `create function staffetta.scope_keys_person() returns setof text language sql stable as 'select id::text from registry.person';
     grant select on registry.person to public`,
  );
  const hidden = { key: '3', why: 'in a source, but not in the view' };
  expect(await outOfScope()).toEqual([
    { target: 'badge', ...guest },
    { target: 'badge', ...hidden, on_target: true },
    { target: 'directory', ...guest },
    { target: 'directory', ...hidden, on_target: false },
  ]);
});
