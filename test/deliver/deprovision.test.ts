import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Step } from '../../src/config/steps.ts';
import type { Destination } from '../../src/deliver/route.ts';
import { createStage, type Stage } from './stage.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await createStage();
});
afterAll(() => stage.close());
beforeEach(() => stage.clear());

const day = 86_400;
const disableThenDelete: Step[] = [
  { do: 'disable', after: 0 },
  { do: 'delete', after: 90 * day },
];
const dn = (uid: string, area = 'people') => `uid=${uid},ou=${area}`;

/** The directory under a mapping, of which the database knows too. */
async function under(deprovision: readonly Step[]): Promise<Destination> {
  await stage.query(`update staffetta.route set deprovision = $1 where entity = 'person'`, [
    JSON.stringify(deprovision),
  ]);
  return stage.destination({}, { person: { deprovision } });
}

/** Moves the clock forward by so many days: to a database, everything that it has noted is that much older then. */
async function pass(days: number): Promise<void> {
  for (const [table, columns] of [
    ['link', ['at', 'absent_since']],
    ['delivery', ['first_at', 'last_at', 'due_at', 'absent_since']],
  ] as const)
    await stage.query(
      `update staffetta.${table} set ${columns.map((column) => `${column} = ${column} - make_interval(days => $1)`).join(', ')}`,
      [days],
    );
}

/** What a sweep does about steps that are due. */
async function sweep(destination: Destination): Promise<number> {
  const [row] = await stage.query<{ enqueued: number }>('select staffetta.enqueue_steps()::int as enqueued');
  await stage.settle(destination);
  return row?.enqueued ?? 0;
}

async function carry(destination: Destination): Promise<void> {
  await stage.addPerson(1, 'ada', { mail: ['ada@x'] });
  await stage.owe('person', 1);
  await stage.settle(destination);
  stage.target.changes.length = 0;
}

async function leave(destination: Destination): Promise<void> {
  await stage.query('delete from registry.person where id = 1');
  await stage.owe('person', 1);
  await stage.settle(destination);
}

const steps = () =>
  stage.query(
    `select key, remote_id, state, next_step, round(extract(epoch from next_at - clock_timestamp()) / 86400)::int as days from staffetta.deprovisioning`,
  );

describe('an identity that has left the view for good', () => {
  test('is disabled at once and deleted when its time has come; in between nothing is owed', async () => {
    const directory = await under(disableThenDelete);
    await carry(directory);
    await leave(directory);
    expect(stage.target.sent).toEqual([`rename ${dn('ada')} → ${dn('ada', 'former')}`]);
    expect(await stage.deliveries()).toEqual([]);
    expect(await steps()).toEqual([
      { key: '1', remote_id: dn('ada', 'former'), state: 'disabled', next_step: 'delete', days: 90 },
    ]);

    await pass(89);
    expect(await sweep(directory)).toBe(0);
    await pass(1);
    expect(await sweep(directory)).toBe(1);
    expect(stage.target.ids).toEqual([]);
    expect(await stage.link(1)).toBeUndefined();
    expect(await stage.journal()).toEqual(['1 create done', '1 disable done', '1 remove done']);
    expect(await sweep(directory)).toBe(0);
  });

  test('is left alone until the only step is due', async () => {
    const directory = await under([{ do: 'delete', after: 30 * day }]);
    await carry(directory);
    await leave(directory);
    expect(stage.target.changes).toEqual([]);
    expect(await stage.deliveries()).toEqual([]);
    expect(await steps()).toMatchObject([{ state: 'active', next_step: 'delete', days: 30 }]);
    await pass(30);
    await sweep(directory);
    expect(stage.target.sent).toEqual([`remove ${dn('ada')}`]);
  });

  test('counts its days from the first proof, through replays, retries and rescans', async () => {
    const directory = await under(disableThenDelete);
    await carry(directory);
    await leave(directory);
    await pass(60);
    await stage.query(`select staffetta.replay('person', '1'); `);
    await stage.settle(directory);
    await stage.owe('person', 1);
    await stage.query(`select staffetta.retry()`);
    await stage.settle(directory);
    expect(await steps()).toMatchObject([{ state: 'disabled', next_step: 'delete', days: 30 }]);
    expect(await stage.query(`select enqueued from staffetta.rescan('directory', 'person')`)).toEqual([
      { enqueued: '0' },
    ]);
    await pass(31);
    expect(await stage.query(`select enqueued from staffetta.rescan('directory', 'person')`)).toEqual([
      { enqueued: '1' },
    ]);
    await stage.settle(directory);
    expect(stage.target.ids).toEqual([]);
  });

  test('comes under another rule when the mapping changes', async () => {
    await carry(await under(disableThenDelete));
    await leave(await under(disableThenDelete));
    await pass(40);
    expect(await sweep(await under([{ do: 'disable', after: 0 }]))).toBe(0);
    expect(await steps()).toMatchObject([{ next_step: null, days: null }]);
    const sooner = await under([
      { do: 'disable', after: 0 },
      { do: 'delete', after: 30 * day },
    ]);
    expect(await sweep(sooner)).toBe(1);
    expect(stage.target.ids).toEqual([]);
  });

  test('is deleted and not disabled first, where both have become due', async () => {
    const later = await under([
      { do: 'disable', after: 10 * day },
      { do: 'delete', after: 20 * day },
    ]);
    await carry(later);
    await leave(later);
    await pass(25);
    await sweep(later);
    expect(stage.target.sent).toEqual([`remove ${dn('ada')}`]);
  });

  test('that is kept says so, and is disabled should the mapping say so one day', async () => {
    const keeping = await under([]);
    await carry(keeping);
    await leave(keeping);
    expect(await steps()).toMatchObject([{ state: 'kept', next_step: null }]);
    await pass(5);
    expect(await sweep(await under(disableThenDelete))).toBe(1);
    expect(await steps()).toMatchObject([{ state: 'disabled', next_step: 'delete', days: 85 }]);
  });

  test('is not touched once more by a sweep while its delivery is parked, held or on its way', async () => {
    const directory = await under(disableThenDelete);
    await carry(directory);
    await leave(directory);
    await pass(90);
    await stage.query(
      `insert into staffetta.delivery (target, entity, key, state) values ('directory', 'person', '1', 'parked')`,
    );
    expect(await sweep(directory)).toBe(0);
    expect(await stage.delivery(1)).toMatchObject({ state: 'parked', rev: '1' });
  });

  test('stays as it is where an administrator discarded the next step, until it is back', async () => {
    const directory = await under(disableThenDelete);
    await carry(directory);
    await leave(directory);
    await pass(90);
    await stage.query(
      `insert into staffetta.delivery (target, entity, key, state, absent_since) values ('directory', 'person', '1', 'held', now())`,
    );
    await stage.query(`select staffetta.discard('directory')`);
    expect(await sweep(directory)).toBe(0);
    expect(await stage.query(`select enqueued from staffetta.rescan('directory', 'person')`)).toEqual([
      { enqueued: '0' },
    ]);
    await stage.query(`select staffetta.replay('person', '1')`);
    await stage.settle(directory);
    expect(stage.target.ids).toEqual([dn('ada', 'former')]);
    expect(await steps()).toMatchObject([{ state: 'disabled', next_step: null }]);

    await stage.addPerson(1, 'ada', { mail: ['ada@x'] });
    await stage.owe('person', 1);
    await stage.settle(directory);
    await leave(directory);
    expect(await steps()).toMatchObject([{ state: 'disabled', next_step: 'delete', days: 90 }]);
  });

  test('keeps its remote id from another until its entry is gone', async () => {
    const directory = await under([{ do: 'delete', after: 30 * day }]);
    await carry(directory);
    await leave(directory);
    await stage.addPerson(2, 'ada', { mail: ['other@x'] });
    await stage.owe('person', 2);
    await stage.settle(directory);
    expect(await stage.delivery(2)).toMatchObject({ state: 'parked', error_kind: 'exists' });
    await pass(30);
    await sweep(directory);
    expect(stage.target.entry(dn('ada'))).toMatchObject({ mail: ['other@x'] });
    expect(await stage.deliveries()).toEqual([]);
  });

  test('is not asked for where the target is only observed', async () => {
    const directory = await under(disableThenDelete);
    await carry(directory);
    await leave(directory);
    await pass(90);
    await stage.query(`update staffetta.target set mode = 'observe'`);
    expect(await sweep(directory)).toBe(0);
  });
});

describe('an identity that comes back', () => {
  test('has its old entry again, as it was', async () => {
    const directory = await under(disableThenDelete);
    await carry(directory);
    const before = stage.target.stableId(dn('ada'));
    const attributes = stage.target.entry(dn('ada'));
    await leave(directory);
    expect(stage.target.entry(dn('ada', 'former'))).toMatchObject({ employeeType: ['former'] });
    await pass(80);
    await stage.addPerson(1, 'ada', { mail: ['ada@x'] });
    await stage.owe('person', 1);
    await stage.settle(directory);
    expect(stage.target.stableId(dn('ada'))).toBe(before);
    expect(stage.target.entry(dn('ada'))).toEqual(attributes);
    expect(await stage.link(1)).toMatchObject({ state: 'active' });
    expect(await steps()).toEqual([]);
  });

  test('begins to count anew when it leaves again', async () => {
    const directory = await under([{ do: 'delete', after: 30 * day }]);
    await carry(directory);
    await leave(directory);
    await pass(20);
    await stage.addPerson(1, 'ada', { mail: ['ada@x'] });
    await stage.owe('person', 1);
    await stage.settle(directory);
    expect(await steps()).toEqual([]);
    await leave(directory);
    await pass(20);
    expect(await sweep(directory)).toBe(0);
    expect(await steps()).toMatchObject([{ next_step: 'delete', days: 10 }]);
    expect(stage.target.changes).toEqual([]);
  });

  test('after its step became due is not touched: its absence has to be proven once more', async () => {
    const directory = await under(disableThenDelete);
    await carry(directory);
    await leave(directory);
    await pass(90);
    await stage.query('select staffetta.enqueue_steps()');
    await stage.addPerson(1, 'ada', { mail: ['ada@x'] });
    await stage.settle(directory);
    expect(stage.target.ids).toEqual([dn('ada')]);
  });
});
