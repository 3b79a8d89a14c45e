/** What happens between identities: swaps, another key, coming and going. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Mapping } from '../../src/deliver/plan.ts';
import { refusal } from './scripted-target.ts';
import { createStage, type Stage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await createStage();
});
beforeEach(() => stage.clear());
afterAll(() => stage.close());

const dn = (uid: string) => `uid=${uid},ou=people`;
const ids = () =>
  stage.query<{ key: string; remote_id: string }>('select key, remote_id from staffetta.link order by key');
async function carried(...uids: readonly string[]): Promise<void> {
  for (const [index, uid] of uids.entries()) await stage.addPerson(index + 1, uid, { name: uid });
  await stage.owe('person', ...uids.keys().map((index) => index + 1));
  await stage.settle();
  stage.target.changes.length = 0;
}
/** Gives each person the uid of another, in one transaction. */
async function reassign(uids: Readonly<Record<number, string>>): Promise<void> {
  await stage.query(
    'update registry.person p set uid = n.value from jsonb_each_text($1) n where n.key::bigint = p.id',
    [uids],
  );
  await stage.owe('person', ...Object.keys(uids));
}
/** Nobody's entry was removed or made again: who had it has it still, under the new name. */
async function expectPeople(expected: Readonly<Record<string, string>>): Promise<void> {
  expect(await stage.deliveries()).toEqual([]);
  const found = Object.fromEntries(stage.target.ids.map((id) => [id, stage.target.entry(id)?.cn]));
  expect(found).toEqual(Object.fromEntries(Object.entries(expected).map(([uid, name]) => [dn(uid), [name]])));
  expect(stage.target.sent.filter((line) => /^(create|remove)/.test(line))).toEqual([]);
  expect(Object.keys(await stage.reserved())).toEqual(Object.keys(expected).map(dn).sort());
}

describe('people who take over each other’s names (PROTOCOL C4)', () => {
  test('two who swap', async () => {
    await carried('ada', 'eve');
    await reassign({ 1: 'eve', 2: 'ada' });
    await stage.settle();
    await expectPeople({ eve: 'ada', ada: 'eve' });
    expect(stage.target.sent).toHaveLength(3);
    expect(stage.target.sent[0]).toBe(`rename ${dn('ada')} → uid=aside-1,ou=people`);
  });

  test('two who swap, each in a batch of its own', async () => {
    await carried('ada', 'eve');
    await reassign({ 1: 'eve', 2: 'ada' });
    await stage.settle(stage.destination({ batch: 1 }));
    await expectPeople({ eve: 'ada', ada: 'eve' });
  });

  test('two who swap, the larger key first', async () => {
    await carried('ada', 'eve');
    await reassign({ 1: 'eve', 2: 'ada' });
    await stage.query(`update staffetta.delivery set due_at = due_at - interval '1 minute' where key = '2'`);
    await stage.settle(stage.destination({ batch: 1 }));
    await expectPeople({ eve: 'ada', ada: 'eve' });
  });

  test('three who pass their names on, and change otherwise too', async () => {
    await carried('a', 'b', 'c');
    await stage.query(`update registry.person set mail = array[id || '@x']`);
    await reassign({ 1: 'b', 2: 'c', 3: 'a' });
    await stage.settle();
    await expectPeople({ b: 'a', c: 'b', a: 'c' });
    expect(stage.target.entry(dn('b'))).toMatchObject({ mail: ['1@x'] });
  });

  test('two swaps at once', async () => {
    await carried('a', 'b', 'c', 'd');
    await reassign({ 1: 'b', 2: 'a', 3: 'd', 4: 'c' });
    await stage.settle();
    await expectPeople({ b: 'a', a: 'b', d: 'c', c: 'd' });
  });

  test('a chain, of which the last is free', async () => {
    await carried('a', 'b', 'c');
    await reassign({ 1: 'b', 2: 'c', 3: 'd' });
    await stage.settle();
    await expectPeople({ b: 'a', c: 'b', d: 'c' });
  });

  test('a swap of which one is told later waits for it, and then goes through', async () => {
    await carried('ada', 'eve');
    await stage.query(`update registry.person set uid = case uid when 'ada' then 'eve' else 'ada' end`);
    await stage.owe('person', 1);
    await stage.settle();
    expect(await stage.deliveries()).toMatchObject([
      { key: '1', state: 'parked', error_kind: 'exists', error: expect.stringContaining('person 2') },
    ]);
    await stage.owe('person', 2);
    await stage.settle();
    await expectPeople({ eve: 'ada', ada: 'eve' });
  });

  test('a swap whose worker died after the step aside', async () => {
    await carried('ada', 'eve');
    await reassign({ 1: 'eve', 2: 'ada' });
    let steps = 0;
    stage.target.onChange = (perform) => {
      steps += 1;
      const answer = perform();
      if (steps === 1) throw refusal('unavailable', 'connection lost', true);
      return answer;
    };
    await stage.pump().run();
    expect(stage.target.ids).toEqual(['uid=aside-1,ou=people', dn('eve')].sort());
    for (let rounds = 0; rounds < 5; rounds += 1) {
      await stage.forward();
      await stage.settle();
    }
    await expectPeople({ eve: 'ada', ada: 'eve' });
  });

  test('one who wants the name of somebody who keeps it is parked, naming them', async () => {
    await carried('ada', 'eve');
    await reassign({ 2: 'ada' });
    await stage.settle();
    expect(await stage.deliveries()).toMatchObject([
      { key: '2', state: 'parked', error: expect.stringContaining('remote id of person 1') },
    ]);
    await reassign({ 1: 'grace' });
    await stage.settle();
    await expectPeople({ grace: 'ada', ada: 'eve' });
  });

  test('one who changes their mind while the target is away leaves the name to others', async () => {
    await carried('ada');
    await reassign({ 1: 'eve' });
    stage.target.onChange = () => {
      throw refusal('unavailable');
    };
    await stage.deliver(await stage.claim());
    await reassign({ 1: 'ada' });
    stage.target.onChange = (perform) => perform();
    await stage.forward();
    await stage.settle();
    expect(await stage.reserved()).toEqual({ [dn('ada')]: '1' });
  });

  test('one who comes gets the name of one who goes, and nobody else’s entry', async () => {
    await carried('ada');
    await stage.query('update registry.person set id = 2, name = $1', ['eve']);
    await stage.owe('person', 2);
    await stage.settle();
    expect(await stage.deliveries()).toMatchObject([{ key: '2', state: 'parked' }]);
    await stage.owe('person', 1);
    await stage.settle();
    expect(await ids()).toEqual([{ key: '2', remote_id: dn('ada') }]);
    await expectPeople({ ada: 'eve' });
  });
});

describe('a person who gets another key', () => {
  const become = async (from: number, to: number) => {
    await stage.query('update registry.person set id = $2 where id = $1', [from, to]);
    await stage.owe('person', from, to);
  };

  test('keeps the entry: the old key hands it over (PROTOCOL C4)', async () => {
    await carried('ada');
    const stableId = stage.target.stableId(dn('ada'));
    await become(1, 43);
    await stage.settle();
    expect(stage.target.changes).toEqual([]);
    expect(await ids()).toEqual([{ key: '43', remote_id: dn('ada') }]);
    expect(stage.target.stableId(dn('ada'))).toBe(stableId);
    expect(await stage.reserved()).toEqual({ [dn('ada')]: '43' });
    expect(await stage.deliveries()).toEqual([]);
  });

  test('keeps it though removals wait, whichever key is looked at first', async () => {
    const destination = () => stage.destination({ batch: 1 }, { person: { removeAfter: 600 } });
    for (const first of [1, 43]) {
      await stage.clear();
      await carried('ada');
      await become(1, 43);
      await stage.query(`update staffetta.delivery set due_at = due_at - interval '1 minute' where key = $1`, [
        `${first}`,
      ]);
      await stage.settle(destination());
      expect(await ids()).toEqual([{ key: '43', remote_id: dn('ada') }]);
      expect(stage.target.sent).toEqual([]);
    }
  });

  test('keeps it, changed, where the person changed too', async () => {
    await carried('ada');
    await stage.query(`update registry.person set name = 'Ada'`);
    await become(1, 43);
    await stage.settle();
    expect(stage.target.sent).toEqual([`update ${dn('ada')}`]);
    expect(stage.target.entry(dn('ada'))).toMatchObject({ cn: ['Ada'] });
  });

  test('and leaves a group that names the new key right', async () => {
    await carried('ada');
    await stage.query(`insert into registry.team values (1, 'red')`);
    await stage.query('insert into registry.member values (1, 1)');
    await stage.owe('team', 1);
    await stage.settle();
    await stage.query('update registry.member set person_id = 43');
    await become(1, 43);
    await stage.owe('team', 1);
    await stage.settle();
    expect(stage.target.entry('cn=red,ou=teams')?.member).toEqual([dn('ada')]);
    expect(await stage.deliveries()).toEqual([]);
  });
});

describe('a person who leaves the view', () => {
  const leave = async () => {
    await stage.query('delete from registry.person where id = 1');
    await stage.owe('person', 1);
  };
  const under = (person: Partial<Mapping>) => stage.destination({}, { person });

  test('for a moment is not removed: delete and insert in two transactions (PROTOCOL C2)', async () => {
    await carried('ada');
    await leave();
    await stage.settle(under({ removeAfter: 10 }));
    expect(await stage.delivery(1)).toMatchObject({ state: 'pending', due: false, absent_since: expect.any(Date) });
    expect(stage.target.ids).toEqual([dn('ada')]);
    await stage.addPerson(1, 'ada');
    await stage.owe('person', 1);
    await stage.settle(under({ removeAfter: 10 }));
    expect(stage.target.changes).toEqual([]);
    expect(await stage.deliveries()).toEqual([]);
  });

  test('for good is removed once removeAfter is over', async () => {
    await carried('ada');
    await leave();
    await stage.settle(under({ removeAfter: 10 }));
    await stage.query(`update staffetta.delivery set due_at = clock_timestamp()`);
    await stage.query(`update staffetta.link set absent_since = absent_since - interval '11 seconds'`);
    await stage.settle(under({ removeAfter: 10 }));
    expect(stage.target.sent).toEqual([`remove ${dn('ada')}`]);
    expect(await ids()).toEqual([]);
  });

  test('is not removed before removeAfter is over, however often it is looked at', async () => {
    await carried('ada');
    await leave();
    for (let looks = 0; looks < 3; looks += 1) {
      await stage.settle(under({ removeAfter: 10 }));
      await stage.forward();
    }
    expect(stage.target.changes).toEqual([]);
  });

  test('and is back at the moment of sending is not removed (PROTOCOL C1)', async () => {
    await carried('ada');
    await leave();
    let loads = 0;
    const database = stage.interpose({
      after: async (statement) => {
        if (!statement.startsWith('load_')) return;
        loads += 1;
        if (loads === 1) await stage.addPerson(1, 'ada');
      },
    });
    await stage.deliver(await stage.claim(), stage.destination(), undefined, database);
    expect(loads).toBe(2);
    expect(stage.target.changes).toEqual([]);
    await stage.settle();
    expect(await ids()).toHaveLength(1);
    expect(await stage.deliveries()).toEqual([]);
  });

  test('through a row that cannot be read is not removed', async () => {
    await carried('ada');
    await stage.query('update registry.person set room = 0');
    await stage.owe('person', 1);
    await stage.settle();
    expect(stage.target.ids).toEqual([dn('ada')]);
    expect(await stage.delivery(1)).toMatchObject({ state: 'parked', error: 'division by zero' });
  });

  test('through `only` is let go, untouched, and found again later', async () => {
    await carried('ada');
    await stage.query('update registry.person set guest = true');
    await stage.owe('person', 1);
    await stage.settle();
    expect(stage.target.changes).toEqual([]);
    expect(stage.target.ids).toEqual([dn('ada')]);
    expect(await ids()).toEqual([]);
    expect(await stage.reserved()).toEqual({});
    expect((await stage.journal()).at(-1)).toBe('1 release done');
    // Its entry is nobody's now: leaving the view touches it no more.
    await leave();
    await stage.settle();
    expect(stage.target.changes).toEqual([]);
  });

  test('is kept where that is the policy, and known when it comes back', async () => {
    await carried('ada');
    await leave();
    await stage.settle(under({ deprovision: [] }));
    expect(stage.target.changes).toEqual([]);
    expect(await stage.link(1)).toMatchObject({ state: 'kept' });
    await stage.addPerson(1, 'ada', { name: 'Ada' });
    await stage.owe('person', 1);
    await stage.settle(under({ deprovision: [] }));
    expect(stage.target.sent).toEqual([`update ${dn('ada')}`]);
    expect(await stage.link(1)).toMatchObject({ state: 'active' });
  });

  test('is disabled where that is the policy, and revived without a trace of it', async () => {
    await carried('ada');
    await leave();
    await stage.settle(under({ deprovision: [{ do: 'disable', after: 0 }] }));
    expect(stage.target.ids).toEqual(['uid=ada,ou=former']);
    expect(stage.target.entry('uid=ada,ou=former')).toMatchObject({ cn: ['ada'], employeeType: ['former'] });
    expect(await stage.link(1)).toMatchObject({ state: 'disabled', remote_id: 'uid=ada,ou=former' });
    expect(await stage.reserved()).toEqual({ 'uid=ada,ou=former': '1' });
    await stage.owe('person', 1);
    await stage.settle(under({ deprovision: [{ do: 'disable', after: 0 }] }));
    expect(stage.target.changes).toHaveLength(1);
    await stage.addPerson(1, 'ada');
    await stage.owe('person', 1);
    await stage.settle(under({ deprovision: [{ do: 'disable', after: 0 }] }));
    expect(stage.target.entry(dn('ada'))).toEqual({ objectClass: ['person'], cn: ['ada'] });
    expect(await stage.link(1)).toMatchObject({ state: 'active' });
  });

  test('while the target is down is removed later', async () => {
    await carried('ada');
    await leave();
    stage.target.onChange = () => {
      throw refusal('unavailable');
    };
    await stage.pump().run();
    expect(stage.target.ids).toEqual([dn('ada')]);
    stage.target.onChange = (perform) => perform();
    await stage.forward();
    await stage.settle();
    expect(stage.target.ids).toEqual([]);
  });

  test('and whose entry is gone already is forgotten', async () => {
    await carried('ada');
    stage.target.uproot(dn('ada'));
    await leave();
    await stage.settle();
    expect(await ids()).toEqual([]);
    expect(await stage.deliveries()).toEqual([]);
  });

  test('and whose entry was replaced by somebody else’s leaves that alone, though it has the same name', async () => {
    await carried('ada');
    stage.target.uproot(dn('ada'));
    stage.target.plant(dn('ada'), { cn: ['another'] });
    await leave();
    await stage.query('update staffetta.delivery set unsure = true');
    await stage.settle();
    expect(stage.target.entry(dn('ada'))).toEqual({ cn: ['another'] });
    expect(await ids()).toEqual([]);
  });
});

describe('members of a group', () => {
  test('arrive, are renamed and go with their entries; the last leaves the placeholder', async () => {
    const members = () => stage.target.entry('cn=red,ou=teams')?.member;
    await stage.query(`insert into registry.team values (1, 'red')`);
    await stage.query('insert into registry.member values (1, 1), (1, 2)');
    await stage.owe('team', 1);
    await stage.settle();
    expect(members()).toEqual(['cn=nobody']);
    await carried('ada', 'eve');
    expect(members()).toEqual([dn('ada'), dn('eve')]);
    await reassign({ 1: 'grace' });
    await stage.settle();
    expect(members()).toEqual([dn('eve'), dn('grace')]);
    await stage.query('delete from registry.person');
    await stage.owe('person', 1, 2);
    await stage.settle();
    expect(members()).toEqual(['cn=nobody']);
    expect(await stage.deliveries()).toEqual([]);
  });
});
