import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { inTransaction } from '../../src/database/transaction.ts';
import type { Outcome } from '../../src/deliver/outcome.ts';
import { settle } from '../../src/deliver/settle.ts';
import { until } from '../setup/until.ts';
import { createStage, type Stage } from './stage.ts';

let stage: Stage;
let token: string;
beforeAll(async () => {
  stage = await createStage();
});
beforeEach(async () => {
  await stage.clear();
  await stage.owe('person', 1, 2);
  ({ token } = await stage.claim());
});
afterAll(() => stage.close());

const person = { entity: 'person', key: '1' } as const;
const link = {
  remoteId: 'uid=ada',
  stableId: 's1',
  state: 'active',
  attributes: { cn: ['Ada'] },
  fingerprint: 'f',
  disable: null,
} as const;
const error = { kind: 'unknown', message: 'it broke' } as const;
const done: Outcome = {
  ...person,
  outcome: 'done',
  sent: 'uid=ada',
  link,
  reserved: ['uid=ada'],
  journal: { operation: 'create', result: 'done', remoteId: 'uid=ada', changed: ['cn'] },
};
const settleAs = (outcomes: readonly Outcome[], { by = token, referred = ['person'], epoch = 1 } = {}) =>
  settle(stage.pool, { target: 'directory', token: by, epoch, referred }, outcomes);
const settleOne = async (outcome: Omit<Outcome, 'entity' | 'key'>) => {
  await settleAs([{ ...person, ...outcome }]);
  return await stage.delivery(1);
};
const pause = async () => {
  const [row] = await stage.query<{ seconds: number }>(
    `select extract(epoch from due_at - clock_timestamp())::float8 as seconds from staffetta.delivery where key = '1'`,
  );
  return row?.seconds;
};
const reserve = (normalised: string, key = '1') =>
  stage.query(`insert into staffetta.remote_id values ('directory', $1, 'person', $2)`, [normalised, key]);
const events = () =>
  stage.query<{ cols: string[] }>(`select cols from staffetta.event where source = '@link' order by cols[3]`);
const free = { token: null, attempts: 0 };

describe('settling a delivery', () => {
  test('that is done deletes it, and records link, journal and what it freed', async () => {
    await reserve('uid=ada');
    await reserve('uid=former');
    await reserve('uid=other', '2');
    expect(await settleAs([done])).toMatchObject({ gone: 1, freed: 0, lost: 0, told: 1 });
    expect(await stage.delivery(1)).toBeUndefined();
    expect(await stage.link(1)).toMatchObject({
      remote_id: 'uid=ada',
      stable_id: 's1',
      state: 'active',
      attributes: { cn: ['Ada'] },
      fingerprint: 'f',
    });
    expect(await stage.reserved()).toEqual({ 'uid=ada': '1', 'uid=other': '2' });
    expect(await stage.journal()).toEqual(['1 create done']);
    const [row] = await stage.query(
      `select changed, cause, attempt, lag >= interval '0' as lag from staffetta.journal`,
    );
    expect(row).toEqual({ changed: ['cn'], cause: 'test', attempt: 1, lag: true });
  });

  test('that a newer event touched keeps it, free and due, with all that was recorded', async () => {
    await stage.owe('person', 1);
    expect(await settleAs([done])).toMatchObject({ gone: 0, freed: 1 });
    expect(await stage.delivery(1)).toMatchObject({ ...free, state: 'pending', due: true, rev: '2' });
    expect(await stage.link(1)).toMatchObject({ remote_id: 'uid=ada' });
  });

  test('that comes again is due after its pause, and remembers that the key was absent', async () => {
    expect(await settleOne({ outcome: 'again', dueIn: 10, absent: true })).toMatchObject({
      ...free,
      state: 'pending',
      due: false,
    });
    expect(await pause()).toBeGreaterThan(8);
    const since = (await stage.delivery(1))?.absent_since;
    expect(since).not.toBeNull();
    await stage.forward();
    ({ token } = await stage.claim());
    expect((await settleOne({ outcome: 'again', dueIn: 1, absent: true }))?.absent_since).toEqual(since);
    await stage.forward();
    ({ token } = await stage.claim());
    expect((await settleOne({ outcome: 'again' }))?.absent_since).toBeNull();
  });

  test('that failed is tried again after its pause, one attempt spent', async () => {
    expect(await settleOne({ outcome: 'retry', dueIn: 10, unsure: true, error })).toMatchObject({
      token: null,
      state: 'pending',
      attempts: 1,
      due: false,
      unsure: true,
      error_kind: 'unknown',
      error: 'it broke',
    });
  });

  test('that failed keeps its pause though a newer event touched it', async () => {
    await stage.owe('person', 1);
    expect(await settleOne({ outcome: 'retry', dueIn: 10, error })).toMatchObject({ attempts: 1, due: false });
  });

  test('that waits for another says for whom, and spends no attempt', async () => {
    const waitFor = { entity: 'person', key: '2', attribute: '', id: 'uid=b' };
    const dependency = { kind: 'dependency', message: 'taken' } as const;
    expect(await settleOne({ outcome: 'wait', dueIn: 5, waitFor, error: dependency })).toMatchObject({
      ...free,
      state: 'waiting',
      wait_key: '2',
      wait_id: 'uid=b',
      due: false,
    });
  });

  test('that waits for an entry on the target spends one, so that it does not wait for ever', async () => {
    expect(await settleOne({ outcome: 'wait', dueIn: 5, error })).toMatchObject({ state: 'waiting', attempts: 1 });
  });

  test('that is parked stays so with its reason, until a newer event comes', async () => {
    expect(await settleOne({ outcome: 'park', error })).toMatchObject({
      state: 'parked',
      token: null,
      error: 'it broke',
    });
  });

  test('that is to be parked, but was touched by a newer event, is due', async () => {
    await stage.owe('person', 1);
    expect(await settleOne({ outcome: 'park', error })).toMatchObject({ state: 'pending', due: true });
  });

  test('that is given back is as it was', async () => {
    await stage.query(
      `update staffetta.delivery set attempts = 3, error_kind = 'unknown', error = 'before', absent_since = clock_timestamp()`,
    );
    const unavailable = { kind: 'unavailable', message: 'down' } as const;
    expect(await settleOne({ outcome: 'release', error: unavailable })).toMatchObject({
      token: null,
      state: 'pending',
      attempts: 3,
      due: true,
      error_kind: 'unknown',
      error: 'before',
      absent_since: expect.any(Date),
    });
  });

  test('is never sure again before it is deleted', async () => {
    await settleOne({ outcome: 'again', unsure: true });
    ({ token } = await stage.claim());
    expect(await settleOne({ outcome: 'again', unsure: false })).toMatchObject({ unsure: true });
    await stage.owe('person', 1);
    ({ token } = await stage.claim());
    await stage.owe('person', 1);
    await settleAs([done]);
    expect(await stage.delivery(1)).toMatchObject({ unsure: true });
    ({ token } = await stage.claim());
    await settleAs([done]);
    await stage.owe('person', 1);
    expect(await stage.delivery(1)).toMatchObject({ unsure: false });
  });

  test('without a link deletes link and memberships; without a word of it leaves it', async () => {
    await settleAs([done]);
    await stage.owe('person', 1);
    await stage.query(
      `insert into staffetta.reference values ('directory', 'person', '1', 'manager', 'person', '2', 'uid=b')`,
    );
    ({ token } = await stage.claim());
    await settleOne({ outcome: 'again' });
    expect(await stage.link(1)).toBeDefined();
    ({ token } = await stage.claim());
    await settleAs([{ ...person, outcome: 'done', link: null, reserved: [] }]);
    expect(await stage.link(1)).toBeUndefined();
    expect(await stage.query('select from staffetta.reference')).toEqual([]);
    expect(await stage.reserved()).toEqual({});
  });

  test('keeps the stable id that is known where the target told none', async () => {
    await settleAs([done]);
    await stage.owe('person', 1);
    ({ token } = await stage.claim());
    await settleAs([{ ...done, link: { ...link, stableId: null } }]);
    expect(await stage.link(1)).toMatchObject({ stable_id: 's1' });
  });

  test('records which members stand in the entry now, and forgets those that parted', async () => {
    for (const key of ['2', '3', '4'])
      await stage.query(
        `insert into staffetta.reference values ('directory', 'person', '1', 'manager', 'person', $1, null)`,
        [key],
      );
    const member = (refKey: string, desired: boolean, wanted: string | null) => ({
      attribute: 'manager',
      refEntity: 'person',
      refKey,
      desired,
      wanted,
      applied: null,
    });
    await settleAs([{ ...done, members: [member('2', true, 'uid=b'), member('3', false, null)] }]);
    expect(await stage.query('select ref_key, applied from staffetta.reference order by ref_key')).toEqual([
      { ref_key: '2', applied: 'uid=b' },
      { ref_key: '4', applied: null },
    ]);
  });

  test('tells those who refer to an entry that came, moved or went, and nobody else', async () => {
    await settleAs([done]);
    expect((await events()).map(({ cols }) => cols)).toEqual([['directory', 'person', '1']]);
    await stage.query('truncate staffetta.event');
    const again = async (outcome: Outcome, referred = ['person']) => {
      await stage.owe('person', 1);
      ({ token } = await stage.claim());
      return (await settleAs([outcome], { referred })).told;
    };
    expect(await again(done)).toBe(0);
    expect(await again({ ...done, link: { ...link, remoteId: 'uid=eve' } })).toBe(1);
    const anew = { ...link, remoteId: 'uid=eve', stableId: 's2' };
    expect(await again({ ...done, link: anew })).toBe(1);
    expect(await again({ ...done, link: { ...anew, stableId: null } })).toBe(0);
    expect(await again({ ...done, link: null })).toBe(1);
    expect(await again(done, [])).toBe(0);
  });

  test('tells whoever waits for a remote id that is free now', async () => {
    await reserve('uid=ada');
    await reserve('uid=old');
    await stage.query(
      `update staffetta.delivery set wait_entity = 'person', wait_key = '1', wait_id = 'uid=old' where key = '2'`,
    );
    expect(await settleAs([done], { referred: [] })).toMatchObject({ told: 1 });
    expect((await events()).map(({ cols }) => cols)).toEqual([['directory', 'person', '1']]);
  });

  test('journals an initial load by batch (PROTOCOL G)', async () => {
    await stage.query('update staffetta.delivery set priority = 1');
    await settleAs([done, { ...done, key: '2', link: { ...link, remoteId: 'uid=b' } }]);
    expect(await stage.query('select key, operation, result, count from staffetta.journal')).toEqual([
      { key: null, operation: 'create', result: 'done', count: 2 },
    ]);
  });
});

describe('settling what is not ours any more (PROTOCOL B7)', () => {
  const late = () => settleAs([done], { by: stage.foreignToken });

  test('records nothing but doubt: the delivery is not sure, with the remote id that was written, and has a new revision', async () => {
    await reserve('uid=old');
    expect(await late()).toMatchObject({ gone: 0, freed: 0, lost: 1, told: 0 });
    expect(await stage.delivery(1)).toMatchObject({ token, unsure: true, stray: ['uid=ada'], rev: '2' });
    expect(await stage.link(1)).toBeUndefined();
    expect(await stage.reserved()).toEqual({ 'uid=old': '1' });
    expect(await stage.journal()).toEqual([]);
  });

  test('has the worker that took over look once more', async () => {
    await late();
    await settleAs([{ ...done, sent: 'uid=other', link: { ...link, remoteId: 'uid=other' } }]);
    expect(await stage.delivery(1)).toMatchObject({ token: null, due: true, unsure: true, stray: ['uid=ada'] });
  });

  test('has a parked delivery looked at again', async () => {
    await stage.query(`update staffetta.delivery set state = 'parked', token = null, due_at = 'infinity'`);
    await late();
    expect(await stage.delivery(1)).toMatchObject({ state: 'pending', due: true, unsure: true, stray: ['uid=ada'] });
  });

  test('owes a delivery where there is none any more', async () => {
    await settleAs([done]);
    await late();
    expect(await stage.delivery(1)).toMatchObject({ unsure: true, stray: ['uid=ada'], due: true });
  });

  test('gathers the remote ids of several late workers', async () => {
    await late();
    await settleAs([{ ...done, sent: 'uid=b' }], { by: stage.foreignToken });
    expect((await stage.delivery(1))?.stray).toEqual(['uid=ada', 'uid=b']);
  });

  test('leaves it alone where nothing was sent', async () => {
    const before = await stage.delivery(1);
    expect(await settleAs([{ ...person, outcome: 'release' }], { by: stage.foreignToken })).toMatchObject({ lost: 0 });
    expect(await stage.delivery(1)).toEqual(before);
  });
});

describe('settling while others write', () => {
  test('decides on the values that it locked, though ingest commits while it waits (PROTOCOL B8)', async () => {
    const { settled } = await inTransaction(stage.pool, async (ingest) => {
      await ingest.query(`update staffetta.delivery set rev = rev + 1 where key = '1'`);
      const settled = settleAs([done, { ...done, key: '2', link: { ...link, remoteId: 'uid=b' } }]);
      await until(
        () =>
          stage.query(
            `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like '%locked as materialized%'`,
          ),
        (waiting) => waiting.length === 1,
        { what: 'that settling waits for the lock of ingest' },
      );
      return { settled };
    });
    expect(await settled).toMatchObject({ gone: 1, freed: 1, lost: 0 });
    expect(await stage.delivery(1)).toMatchObject({ token: null, state: 'pending', due: true, rev: '2' });
    expect(await stage.delivery(2)).toBeUndefined();
    expect(await stage.link(1)).toBeDefined();
  });

  test('takes its locks in one order, so that two batches never wait for each other (PROTOCOL B9)', async () => {
    const keys = Array.from({ length: 50 }, (_, index) => `${index}`);
    for (let round = 0; round < 10; round += 1) {
      await stage.owe('person', ...keys);
      const { token } = await stage.claim();
      const outcomes = keys.map((key): Outcome => ({ entity: 'person', key, outcome: 'release' }));
      await Promise.all([
        settleAs(outcomes, { by: token }),
        settleAs(
          [...outcomes].reverse().map((outcome) => ({ ...outcome, sent: 'uid=x' })),
          { by: stage.foreignToken },
        ),
        stage.owe('person', ...keys),
      ]);
    }
    expect(await stage.deliveries()).toHaveLength(50);
  });
});
