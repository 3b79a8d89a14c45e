import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { refusal } from './scripted-target.ts';
import { createStage, type Stage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await createStage();
});
beforeEach(() => stage.clear());
afterAll(() => stage.close());

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

/** So many people, delivered while the guard was off; then it is as strict as said. */
async function people(count: number, guard: { removals?: number; changes?: number; floor?: number } = {}) {
  for (const id of numbers(count)) await stage.addPerson(id, `p${id}`, { mail: [`p${id}@example.org`] });
  await stage.owe('person', ...numbers(count));
  await stage.settle();
  const { removals = 0.1, changes = 0.5, floor = 2 } = guard;
  await stage.query('update staffetta.target set guard_removals = $1, guard_changes = $2, guard_floor = $3', [
    removals,
    changes,
    floor,
  ]);
}
async function leave(...ids: readonly number[]) {
  await stage.query('delete from registry.person where id = any ($1)', [ids]);
  await stage.owe('person', ...ids);
  await stage.settle();
}
const left = () => stage.target.ids.filter((id) => id.includes('ou=people')).length;
const held = () =>
  stage.query<{ key: string; by: string; planned: string; reason: string }>(
    'select key, by, planned, reason from staffetta.held order by key::int',
  );
const word = (what: 'approve' | 'discard', keys?: readonly number[]) =>
  stage.query(`select * from staffetta.${what}('directory', 'person', $1::text[], 'seen')`, [
    keys?.map(String) ?? null,
  ]);

describe('the guard (PROTOCOL C3)', () => {
  test('lets through what is within the share, in the window, and holds the rest', async () => {
    await people(30);
    for (const id of [1, 2, 3]) await leave(id);
    expect(left()).toBe(27);
    await leave(4);
    expect(left()).toBe(27);
    expect(await held()).toEqual([
      {
        key: '4',
        by: 'guard',
        planned: 'remove uid=p4,ou=people',
        reason: '1 removals are due, 3 were let through in the last 24 h, and the guard lets through 3',
      },
    ]);
  });

  test('forgets what it let through when the window has passed', async () => {
    await people(10, { floor: 1 });
    await leave(1);
    await stage.query(`update staffetta.guard_spent set at = at - interval '25 hours'`);
    await leave(2);
    expect([left(), await held()]).toEqual([8, []]);
  });

  test('holds a wave whole, from the first, however small the batches are', async () => {
    await people(30);
    await stage.query('delete from registry.person where id <= 10');
    await stage.owe('person', ...numbers(10));
    await stage.query('update staffetta.delivery set absent_since = clock_timestamp()'); // proven absent, and deferred
    for (let batches = 0; batches < 12; batches += 1) await stage.pump(stage.destination({ batch: 1 })).run();
    expect([left(), (await held()).length]).toEqual([30, 10]);
  });

  test('holds everything where nobody is left in the view, be it one person', async () => {
    await people(2, { floor: 25 });
    await leave(1, 2);
    expect(left()).toBe(2);
    expect((await held()).map(({ reason }) => reason)).toEqual([
      'nobody is left in the view of person, so that all of them would go',
      'nobody is left in the view of person, so that all of them would go',
    ]);
  });

  test('holds changes that clear an attribute of many, before the first; others go on', async () => {
    await people(20, { changes: 0.2, floor: 2 });
    await stage.query(`update registry.person set mail = '{}'; update registry.person set name = 'New' where id = 20`);
    await stage.query(`update registry.person set mail = '{kept@example.org}' where id = 20`);
    await stage.owe('person', ...numbers(20));
    for (let batches = 0; batches < 6; batches += 1) await stage.pump(stage.destination({ batch: 5 })).run();
    expect((await held()).length).toBe(19);
    expect((await held())[0]).toMatchObject({
      planned: 'update uid=p1,ou=people (mail)',
      reason: expect.stringContaining('19 changes that clear values or members are due'),
    });
    expect(stage.target.entry('uid=p20,ou=people')).toMatchObject({ cn: ['New'] });
  });

  test('holds them all where the batch that asks first is a small one, as the last of a crowd may be', async () => {
    await people(40, { changes: 0.5, floor: 10 });
    await stage.query(`update registry.person set mail = '{}'`);
    await stage.owe('person', ...numbers(40));
    for (let batches = 0; batches < 12; batches += 1) await stage.pump(stage.destination({ batch: 4 })).run();
    expect((await held()).length).toBe(40);
    expect(stage.target.entry('uid=p1,ou=people')).toMatchObject({ mail: ['p1@example.org'] });
  });

  test('holds the emptying of many groups', async () => {
    await people(3);
    await stage.query(
      `insert into registry.team select n, 't' || n from generate_series(1, 8) n; insert into registry.member select n, 1 from generate_series(1, 8) n`,
    );
    await stage.owe('team', ...numbers(8));
    await stage.settle();
    await stage.query('truncate registry.member');
    await stage.owe('team', ...numbers(8));
    await stage.settle();
    expect((await held()).map(({ planned }) => planned)).toContain('update cn=t1,ou=teams (member)');
    expect(await held()).toHaveLength(8);
  });

  test('does not count what it let through and what was not done after all', async () => {
    await people(30, { floor: 1, removals: 0.01 });
    stage.target.onChange = () => {
      throw refusal('unavailable');
    };
    await stage.query('delete from registry.person where id = 1');
    await stage.owe('person', 1);
    await stage.pump().run();
    stage.target.onChange = (perform) => perform();
    expect(await stage.query('select sum(count)::int as spent from staffetta.guard_spent')).toEqual([{ spent: 0 }]);
    await stage.forward();
    await stage.pump().run({ probeNow: true });
    expect([left(), await held()]).toEqual([29, []]);
  });

  test('counts what may have been done, though nobody answered', async () => {
    await people(30, { floor: 1, removals: 0.01 });
    stage.target.onChange = (perform) => {
      perform();
      throw refusal('unavailable', 'no answer', true);
    };
    await stage.query('delete from registry.person where id = 1');
    await stage.owe('person', 1);
    await stage.pump().run();
    stage.target.onChange = (perform) => perform();
    await stage.forward();
    await stage.pump().run({ probeNow: true });
    await leave(2);
    expect([left(), (await held()).map(({ key }) => key)]).toEqual([29, ['2']]);
  });

  test('whose account cannot be kept, for want of the database, loses nothing of what was sent', async () => {
    await people(30);
    await stage.query('delete from registry.person where id = 1');
    await stage.owe('person', 1);
    stage.target.onChange = () => {
      throw refusal('rejected');
    };
    const database = stage.interpose({
      before: (statement) => {
        if (statement.startsWith('insert into staffetta.guard_spent')) throw new Error('terminating connection');
      },
    });
    await stage.deliver(await stage.claim(), stage.destination(), undefined, database);
    expect(await stage.delivery(1)).toMatchObject({ state: 'parked', token: null, error_kind: 'rejected' });
  });

  test('approval lets a removal go, proven anew; whoever is back is not removed', async () => {
    await people(3, { floor: 0, removals: 0 });
    await leave(1, 2);
    await stage.addPerson(2, 'p2', { mail: ['p2@example.org'] }); // restored behind the triggers' back
    expect(await word('approve')).toEqual([
      { target: 'directory', entity: 'person', deliveries: '2', note: 'approved' },
    ]);
    await stage.settle();
    expect(stage.target.ids).toEqual(['uid=p2,ou=people', 'uid=p3,ou=people']);
    expect(await stage.deliveries()).toEqual([]);
  });

  test('approval is of the delivery as it was: a new event has to be approved anew', async () => {
    await people(3, { floor: 0, removals: 0 });
    await leave(1);
    await word('approve', [1]);
    await stage.owe('person', 1);
    await stage.settle();
    expect([left(), (await held()).length]).toEqual([3, 1]);
  });

  test('what is discarded is not done, and not asked for again by a rescan, until its identity is back', async () => {
    await people(3, { floor: 0, removals: 0 });
    await leave(1);
    await word('discard', [1]);
    expect((await stage.link(1))?.state).toBe('kept');
    expect([await stage.deliveries(), left()]).toEqual([[], 3]);
    expect((await stage.journal()).at(-1)).toBe('1 none discarded');
    await stage.addPerson(1, 'p1');
    await stage.owe('person', 1);
    await stage.settle();
    expect((await stage.link(1))?.state).toBe('active');
  });

  test('a new event makes what is held pending, and a restored row needs no word', async () => {
    await people(3, { floor: 0, removals: 0 });
    await leave(1);
    await stage.addPerson(1, 'p1', { mail: ['p1@example.org'] });
    await stage.owe('person', 1);
    await stage.settle();
    expect([await held(), await stage.deliveries()]).toEqual([[], []]);
  });

  test('a word needs a target, and keys an entity; where nothing waits, that is said', async () => {
    await expect(stage.query('select * from staffetta.approve(null)')).rejects.toThrow('Of which target?');
    await expect(stage.query(`select * from staffetta.discard('directory', null, '{1}')`)).rejects.toThrow(
      'Of which entity',
    );
    expect(await word('approve')).toEqual([
      { target: 'directory', entity: 'person', deliveries: '0', note: 'nothing waits for a word' },
    ]);
  });
});

describe('a target that is observed', () => {
  test('is sent nothing; what would be done is journaled', async () => {
    await people(2);
    await stage.query(`update staffetta.target set mode = 'observe'`);
    await stage.addPerson(3, 'p3');
    await stage.query(`update registry.person set name = 'New' where id = 2; delete from registry.person where id = 1`);
    const before = await stage.link(2);
    await stage.owe('person', 1, 2, 3);
    await stage.settle();
    expect((await stage.journal()).slice(-3)).toEqual(['1 remove would', '2 update would', '3 create would']);
    expect([stage.target.ids, await stage.deliveries()]).toEqual([['uid=p1,ou=people', 'uid=p2,ou=people'], []]);
    expect(await stage.link(2)).toEqual(before);
  });

  test('keeps what is in doubt for the day when it is live', async () => {
    await people(1);
    await stage.query(`update staffetta.target set mode = 'observe'`);
    await stage.query(`update registry.person set name = 'New' where id = 1`);
    await stage.owe('person', 1);
    await stage.query('update staffetta.delivery set unsure = true');
    await stage.settle();
    expect(await held()).toMatchObject([{ key: '1', by: 'observe', planned: 'update uid=p1,ou=people (cn)' }]);
  });
});

describe('a target in manual mode', () => {
  beforeEach(async () => {
    await people(2);
    await stage.query(`update staffetta.target set mode = 'manual'`);
    await stage.query(`update registry.person set name = 'New'`);
    await stage.owe('person', 1, 2);
    await stage.settle();
  });

  test('is sent only what was approved, one by one or all', async () => {
    expect((await held()).map(({ planned }) => planned)).toEqual([
      'update uid=p1,ou=people (cn)',
      'update uid=p2,ou=people (cn)',
    ]);
    await word('approve', [1]);
    await stage.settle();
    const names = () => ['p1', 'p2'].map((uid) => stage.target.entry(`uid=${uid},ou=people`)?.cn?.[0]);
    expect(names()).toEqual(['New', 'p2']);
    await word('approve');
    await stage.settle();
    expect([names(), await held()]).toEqual([['New', 'New'], []]);
  });

  test('what needs nothing of the target does not wait for a word', async () => {
    await word('discard');
    await stage.query(`update registry.person set name = uid`);
    await stage.owe('person', 1, 2);
    await stage.settle();
    expect([await held(), await stage.deliveries()]).toEqual([[], []]);
  });
});
