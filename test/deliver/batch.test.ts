import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { until } from '../setup/until.ts';
import { hang, refusal } from './scripted-target.ts';
import { createStage, type Stage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await createStage();
});
beforeEach(() => stage.clear());
afterAll(() => stage.close());

const ada = 'uid=ada,ou=people';
const eve = 'uid=eve,ou=people';
const rename = (id: number, uid: string) => stage.query('update registry.person set uid = $2 where id = $1', [id, uid]);
const remove = (id: number) => stage.query('delete from registry.person where id = $1', [id]);
/** A person whose entry is there. */
async function carried(id: number, uid: string, more: Record<string, unknown> = {}): Promise<void> {
  await stage.addPerson(id, uid, more);
  await stage.owe('person', id);
  await stage.settle();
  stage.target.changes.length = 0;
}

describe('a delivery', () => {
  test('creates, changes, renames and removes an entry', async () => {
    await stage.addPerson(1, 'ada', { mail: ['a@x'], password: 'hunter2' });
    await stage.owe('person', 1);
    await stage.settle();
    expect(stage.target.entry(ada)).toEqual({
      objectClass: ['person'],
      cn: ['ada'],
      mail: ['a@x'],
      userPassword: ['hunter2'],
    });
    await stage.query(`update registry.person set uid = 'eve', mail = null`);
    await stage.owe('person', 1);
    await stage.settle();
    expect(stage.target.ids).toEqual([eve]);
    expect(stage.target.entry(eve)).not.toHaveProperty('mail');
    expect(await stage.reserved()).toEqual({ [eve]: '1' });
    await remove(1);
    await stage.owe('person', 1);
    await stage.settle();
    expect(stage.target.ids).toEqual([]);
    expect(await stage.link(1)).toBeUndefined();
    expect(await stage.reserved()).toEqual({});
    expect(await stage.journal()).toEqual(['1 create done', '1 rename done', '1 remove done']);
  });

  test('of what is right already sends nothing and says nothing', async () => {
    await carried(1, 'ada');
    await stage.owe('person', 1);
    await stage.settle();
    expect(stage.target.changes).toEqual([]);
    expect(stage.target.reads).toEqual([]);
    expect(await stage.deliveries()).toEqual([]);
    expect(await stage.journal()).toEqual(['1 create done']);
  });

  test('sends as many changes at once as the target takes, and no more', async () => {
    const arrived = Promise.withResolvers<void>();
    stage.target.onChange = async (perform) => {
      if (stage.target.mostInFlight === 3) arrived.resolve();
      await arrived.promise;
      return perform();
    };
    for (let id = 1; id <= 12; id += 1) await stage.addPerson(id, `p${id}`);
    await stage.owe('person', ...Array.from({ length: 12 }, (_, index) => index + 1));
    await stage.deliver(await stage.claim(), stage.destination({ concurrency: 3 }));
    expect(stage.target.ids).toHaveLength(12);
    expect(stage.target.mostInFlight).toBe(3);
  });

  test('never has a secret in link or journal', async () => {
    await carried(1, 'ada', { password: 'hunter2' });
    const [row] = await stage.query<{ kept: string }>(
      `select concat((select jsonb_agg(l) from staffetta.link l), (select jsonb_agg(j) from staffetta.journal j)) as kept`,
    );
    expect(row?.kept).toContain('userPassword');
    expect(row?.kept).not.toContain('hunter2');
  });
});

describe('what is refused', () => {
  test('is parked alone; the rest of the batch goes through', async () => {
    for (let id = 1; id <= 5; id += 1) await stage.addPerson(id, `p${id}`);
    await stage.owe('person', 1, 2, 3, 4, 5);
    stage.target.onChange = (perform, { remoteId }) => {
      if (remoteId.startsWith('uid=p3')) throw refusal('rejected', 'no such value');
      return perform();
    };
    await stage.settle();
    expect(stage.target.ids).toHaveLength(4);
    expect(await stage.deliveries()).toMatchObject([
      { key: '3', state: 'parked', error_kind: 'rejected', error: 'no such value' },
    ]);
    expect(await stage.reserved()).not.toHaveProperty('uid=p3,ou=people');
  });

  test('is parked where its row cannot be read, with what PostgreSQL said', async () => {
    await stage.addPerson(1, 'ada', { room: 0 });
    await stage.addPerson(2, 'eve');
    await stage.addPerson(3, null);
    await stage.owe('person', 1, 2, 3);
    await stage.settle();
    expect(stage.target.ids).toEqual([eve]);
    expect(await stage.deliveries()).toMatchObject([
      { key: '1', state: 'parked', error: 'division by zero' },
      { key: '3', state: 'parked', error: expect.stringContaining('NULL or empty') },
    ]);
  });

  test('is parked where its remote id is none', async () => {
    await stage.addPerson(1, 'ada');
    await stage.owe('person', 1);
    stage.target.normalise = () => {
      throw refusal('rejected', 'not a name');
    };
    await stage.settle();
    expect(await stage.deliveries()).toMatchObject([{ state: 'parked', error: 'not a name' }]);
  });

  test('is tried again for unknown reasons, and parked in the end', async () => {
    await stage.set('RETRY_ATTEMPTS', 3);
    await stage.addPerson(1, 'ada');
    await stage.owe('person', 1);
    stage.target.onChange = () => {
      throw refusal('unknown', 'it broke');
    };
    for (const attempts of [1, 2]) {
      await stage.pump().run();
      expect(await stage.delivery(1)).toMatchObject({ state: 'pending', attempts, error: 'it broke' });
      await stage.forward();
    }
    await stage.pump().run();
    expect(await stage.delivery(1)).toMatchObject({ state: 'parked', attempts: 3, unsure: true });
    expect(await stage.journal()).toEqual(['1 create retried', '1 create retried', '1 create parked']);
    expect(await stage.reserved()).toEqual({ [ada]: '1' });
  });

  test('waits where something else has to be there first', async () => {
    await stage.addPerson(1, 'ada');
    await stage.owe('person', 1);
    stage.target.onChange = () => {
      throw refusal('dependency', 'no parent');
    };
    await stage.pump().run();
    expect(await stage.delivery(1)).toMatchObject({ state: 'waiting', attempts: 1, error_kind: 'dependency' });
    stage.target.onChange = (perform) => perform();
    await stage.forward();
    await stage.settle();
    expect(stage.target.ids).toEqual([ada]);
  });
});

describe('an entry that is not as the link says', () => {
  test('is read and created again where it is gone', async () => {
    await carried(1, 'ada');
    stage.target.uproot(ada);
    await stage.query(`update registry.person set name = 'Ada'`);
    await stage.owe('person', 1);
    await stage.settle();
    expect(stage.target.sent).toEqual([`update ${ada}`, `create ${ada}`]);
    expect(new Set(stage.target.reads)).toEqual(new Set([ada]));
    expect(stage.target.entry(ada)).toMatchObject({ cn: ['Ada'] });
    expect(await stage.deliveries()).toEqual([]);
  });

  test('is read and compared again where the change had been made already', async () => {
    await carried(1, 'ada');
    const { stableId } = stage.target.perform({
      operation: 'update',
      entity: 'person',
      remoteId: ada,
      changes: [{ attribute: 'cn', action: 'replace', values: ['Ada'] }],
    });
    stage.target.onChange = () => {
      throw refusal('converged', 'it is so already');
    };
    await stage.query(`update registry.person set name = 'Ada'`);
    await stage.owe('person', 1);
    await stage.settle();
    expect(await stage.deliveries()).toEqual([]);
    expect(await stage.link(1)).toMatchObject({ attributes: { cn: ['Ada'] }, stable_id: stableId });
  });

  test('is found where somebody moved it, and renamed back', async () => {
    await carried(1, 'ada');
    stage.target.perform({ operation: 'update', entity: 'person', remoteId: ada, renameTo: 'uid=moved', changes: [] });
    await stage.query(`update registry.person set name = 'Ada'`);
    await stage.owe('person', 1);
    await stage.settle();
    expect(stage.target.ids).toEqual([ada]);
    expect(stage.target.entry(ada)).toMatchObject({ cn: ['Ada'] });
    expect(await stage.reserved()).toEqual({ [ada]: '1' });
  });

  test('is mended by a forced replay, which leaves what is not mapped', async () => {
    await carried(1, 'ada', { mail: ['a@x'] });
    stage.target.perform({
      operation: 'update',
      entity: 'person',
      remoteId: ada,
      changes: [
        { attribute: 'cn', action: 'replace', values: ['by hand'] },
        { attribute: 'description', action: 'replace', values: ['by hand'] },
      ],
    });
    await stage.owe('person', 1);
    await stage.settle();
    expect(stage.target.entry(ada)).toMatchObject({ cn: ['by hand'] });
    await stage.owe('person', 1);
    await stage.query('update staffetta.delivery set unsure = true');
    await stage.settle();
    expect(stage.target.entry(ada)).toMatchObject({ cn: ['ada'], mail: ['a@x'], description: ['by hand'] });
  });
});

describe('an entry that is there already', () => {
  const matching = () => stage.destination({}, { matches: true });

  test('is never taken over silently: without a match the delivery is parked', async () => {
    stage.target.plant(ada, { cn: ['Somebody'] });
    await stage.addPerson(1, 'ada');
    await stage.owe('person', 1);
    await stage.settle();
    expect(await stage.deliveries()).toMatchObject([{ state: 'parked', error_kind: 'exists' }]);
    expect(stage.target.entry(ada)).toEqual({ cn: ['Somebody'] });
    expect(await stage.reserved()).toEqual({});
  });

  test('is not taken over either where our own attempt to create it got no answer', async () => {
    stage.target.plant(ada, { cn: ['Somebody'] });
    await stage.addPerson(1, 'ada');
    await stage.owe('person', 1);
    stage.target.onChange = hang;
    await stage.pump(stage.destination({ timeout: 20 })).run();
    expect(await stage.delivery(1)).toMatchObject({ unsure: true });
    stage.target.onChange = (perform) => perform();
    await stage.forward();
    await stage.pump().run({ probeNow: true });
    await stage.settle();
    expect(await stage.deliveries()).toMatchObject([{ state: 'parked', error_kind: 'exists' }]);
    expect(stage.target.entry(ada)).toEqual({ cn: ['Somebody'] });
  });

  test('is adopted where exactly one matches, and brought to what is desired', async () => {
    stage.target.plant('uid=old,ou=elsewhere', { cn: ['Ada'], mail: ['a@x'], description: ['theirs'] });
    await stage.addPerson(1, 'ada', { mail: ['a@x', 'b@x'] });
    await stage.owe('person', 1);
    await stage.settle(matching());
    expect(stage.target.ids).toEqual([ada]);
    expect(stage.target.entry(ada)).toEqual({
      objectClass: ['person'],
      cn: ['Ada'],
      mail: ['a@x', 'b@x'],
      description: ['theirs'],
    });
    expect(await stage.journal()).toEqual(['1 adopt done']);
    expect(await stage.link(1)).toMatchObject({ remote_id: ada, stable_id: 'entry-1' });
    expect(await stage.reserved()).toEqual({ [ada]: '1' });
  });

  test('is adopted without a write where it is right already, and is ours from then on', async () => {
    const { stableId } = stage.target.plant(ada, { objectClass: ['person'], cn: ['ADA'], mail: ['a@x'] });
    await stage.addPerson(1, 'ada', { mail: ['a@x'] });
    await stage.owe('person', 1);
    await stage.settle(matching());
    expect(stage.target.changes).toEqual([]);
    expect(await stage.link(1)).toMatchObject({ remote_id: ada, stable_id: stableId });
    expect(await stage.reserved()).toEqual({ [ada]: '1' });
    expect(await stage.journal()).toEqual(['1 adopt done']);
  });

  test('is not chosen among several: the delivery is parked, naming them', async () => {
    stage.target.plant('uid=one', { mail: ['a@x'] });
    stage.target.plant('uid=two', { mail: ['a@x'] });
    await stage.addPerson(1, 'ada', { mail: ['a@x'] });
    await stage.owe('person', 1);
    await stage.settle(matching());
    expect(await stage.deliveries()).toMatchObject([
      { state: 'parked', error_kind: 'exists', error: expect.stringMatching(/uid=one and uid=two/) },
    ]);
    expect(stage.target.changes).toEqual([]);
  });

  test.each([
    ['differs', { mail: ['a@x'], cn: ['other'] }],
    ['is right already', { mail: ['a@x'], cn: ['ada'], objectClass: ['person'] }],
  ])('is not taken from another key that it is linked to, whether it %s', async (_, attributes) => {
    stage.target.plant(ada, attributes);
    await stage.addPerson(1, 'ada', { mail: ['a@x'] });
    await stage.owe('person', 1);
    await stage.settle(matching());
    await stage.addPerson(2, 'ada', { mail: ['a@x'] });
    await stage.owe('person', 2);
    await stage.settle(matching());
    expect(await stage.link(2)).toBeUndefined();
    expect(await stage.deliveries()).toMatchObject([
      { key: '2', state: 'parked', error_kind: 'exists', error: expect.stringContaining('person 1') },
    ]);
  });

  test('is adopted by one of two keys that match it in one batch', async () => {
    stage.target.plant(ada, { objectClass: ['person'], cn: ['ada'], mail: ['a@x'] });
    await stage.addPerson(1, 'ada', { mail: ['a@x'] });
    await stage.addPerson(2, 'ada', { mail: ['a@x'] });
    await stage.owe('person', 1, 2);
    await stage.pump(matching()).run();
    expect(await stage.query('select key from staffetta.link')).toEqual([{ key: '1' }]);
    expect(await stage.reserved()).toEqual({ [ada]: '1' });
  });

  test('is looked for with one search for a batch', async () => {
    let searches = 0;
    stage.target.onFind = (perform) => {
      searches += 1;
      return perform();
    };
    for (let id = 1; id <= 10; id += 1) await stage.addPerson(id, `p${id}`, { mail: [`${id}@x`] });
    await stage.owe('person', ...Array.from({ length: 10 }, (_, index) => index + 1));
    await stage.settle(matching());
    expect(searches).toBe(1);
    expect(stage.target.ids).toHaveLength(10);
  });

  test('is not created beside where the search failed', async () => {
    stage.target.plant('uid=old', { mail: ['a@x'] });
    await stage.addPerson(1, 'ada', { mail: ['a@x'] });
    await stage.owe('person', 1);
    stage.target.onFind = () => {
      throw refusal('unavailable', 'too busy to search');
    };
    await stage.pump(matching()).run();
    expect(stage.target.changes).toEqual([]);
    expect(await stage.delivery(1)).toMatchObject({ state: 'pending', attempts: 0 });
  });
});

describe('a worker that dies', () => {
  test('before it sent anything has its delivery taken over', async () => {
    await stage.addPerson(1, 'ada');
    await stage.owe('person', 1);
    await stage.claim();
    await stage.expire();
    await stage.settle();
    expect(stage.target.ids).toEqual([ada]);
    expect(await stage.deliveries()).toEqual([]);
  });

  /** Everything but settling: the worker is killed in that instant. */
  async function dieAfterSending(): Promise<void> {
    const killed = new AbortController();
    const database = stage.interpose({
      before: (statement) => {
        if (statement !== 'settle') return;
        killed.abort();
        throw new Error('killed');
      },
    });
    const died = stage.deliver(await stage.claim(), stage.destination(), killed.signal, database);
    await expect(died).rejects.toThrow('killed');
    await stage.expire();
  }

  test('after it created leaves no duplicate: the entry is read and taken for ours (PROTOCOL B5, B6)', async () => {
    await stage.addPerson(1, 'ada');
    await stage.owe('person', 1);
    await dieAfterSending();
    expect(stage.target.ids).toEqual([ada]);
    expect(await stage.link(1)).toBeUndefined();
    await rename(1, 'eve');
    await stage.settle();
    expect(stage.target.ids).toEqual([eve]);
    expect(stage.target.sent).toEqual([`create ${ada}`, `rename ${ada} → ${eve}`]);
    expect(await stage.link(1)).toMatchObject({ remote_id: eve });
    expect(await stage.reserved()).toEqual({ [eve]: '1' });
  });

  test('after it created leaves no orphan though the person is gone meanwhile (PROTOCOL B6)', async () => {
    await stage.addPerson(1, 'ada');
    await stage.owe('person', 1);
    await dieAfterSending();
    await remove(1);
    await stage.owe('person', 1);
    await stage.settle();
    expect(stage.target.ids).toEqual([]);
    expect(await stage.deliveries()).toEqual([]);
    expect(await stage.reserved()).toEqual({});
  });

  test('after it created leaves an entry that is disabled, where people who go are', async () => {
    const disabling = stage.destination({}, { person: { deprovision: [{ do: 'disable', after: 0 }] } });
    await stage.addPerson(1, 'ada');
    await stage.owe('person', 1);
    await dieAfterSending();
    await remove(1);
    await stage.owe('person', 1);
    await stage.settle(disabling);
    expect(stage.target.ids).toEqual(['uid=ada,ou=former']);
    expect(stage.target.entry('uid=ada,ou=former')).toMatchObject({ employeeType: ['former'] });
    expect(await stage.link(1)).toMatchObject({ remote_id: 'uid=ada,ou=former', state: 'disabled' });
    expect(await stage.deliveries()).toEqual([]);
  });

  test('after it created leaves no orphan though its next change is refused before the person goes', async () => {
    await stage.addPerson(1, 'ada');
    await stage.owe('person', 1);
    await dieAfterSending();
    stage.target.onChange = () => {
      throw refusal('rejected');
    };
    await stage.query(`update registry.person set name = 'refused'`);
    await stage.settle();
    expect(await stage.delivery(1)).toMatchObject({ state: 'parked' });
    stage.target.onChange = (perform) => perform();
    await remove(1);
    await stage.owe('person', 1);
    await stage.settle();
    expect(stage.target.ids).toEqual([]);
  });

  test('after it renamed has the rename found, and nothing is written twice', async () => {
    await carried(1, 'ada');
    await rename(1, 'eve');
    await stage.owe('person', 1);
    await dieAfterSending();
    await stage.settle();
    expect(stage.target.sent).toEqual([`rename ${ada} → ${eve}`]);
    expect(await stage.link(1)).toMatchObject({ remote_id: eve });
    expect(await stage.reserved()).toEqual({ [eve]: '1' });
  });

  test('after it removed has the removal found', async () => {
    await carried(1, 'ada');
    await remove(1);
    await stage.owe('person', 1);
    await dieAfterSending();
    await stage.settle();
    expect(stage.target.sent).toEqual([`remove ${ada}`]);
    expect(await stage.link(1)).toBeUndefined();
    expect(await stage.deliveries()).toEqual([]);
  });
});

describe('a worker that is too slow', () => {
  test('and writes after it was fenced off has its entry read back (PROTOCOL B7)', async () => {
    await stage.addPerson(1, 'ada');
    await stage.owe('person', 1);
    const slow = Promise.withResolvers<void>();
    const sending = Promise.withResolvers<void>();
    stage.target.onChange = async (perform) => {
      sending.resolve();
      await slow.promise;
      return perform();
    };
    const claim = await stage.claim();
    const late = stage.deliver(claim);
    await sending.promise;
    // Its lease runs out; another worker finds the person gone, and no entry yet.
    stage.target.onChange = (perform) => perform();
    await stage.expire();
    await remove(1);
    await stage.owe('person', 1);
    await stage.settle();
    expect(await stage.deliveries()).toEqual([]);
    // Only now the entry is made.
    slow.resolve();
    expect((await late).settled).toMatchObject({ lost: 1 });
    expect(stage.target.ids).toEqual([ada]);
    expect(await stage.delivery(1)).toMatchObject({ unsure: true, stray: [ada], due: true });
    await stage.settle();
    expect(stage.target.ids).toEqual([]);
    expect(await stage.deliveries()).toEqual([]);
  });

  test('and writes under another id than the one that took over has what it wrote taken away (PROTOCOL B7)', async () => {
    await stage.addPerson(1, 'eve');
    await stage.owe('person', 1);
    const slow = Promise.withResolvers<void>();
    const sending = Promise.withResolvers<void>();
    stage.target.onChange = async (perform) => {
      sending.resolve();
      await slow.promise;
      return perform();
    };
    const late = stage.deliver(await stage.claim());
    await sending.promise;
    // Its lease runs out; the person gets another login, and the other worker makes the entry under that.
    stage.target.onChange = (perform) => perform();
    await stage.expire();
    await rename(1, 'ada');
    await stage.owe('person', 1);
    await stage.settle();
    expect(stage.target.ids).toEqual([ada]);
    slow.resolve();
    await late;
    expect(stage.target.ids).toEqual([ada, 'uid=eve,ou=people']);
    await stage.settle();
    expect(stage.target.ids).toEqual([ada]);
    expect(await stage.deliveries()).toEqual([]);
    expect(await stage.reserved()).toEqual({ [ada]: '1' });
  });

  test('never sends what it could not finish before its lease ends (PROTOCOL B4)', async () => {
    await stage.addPerson(1, 'ada');
    await carried(2, 'eve');
    await rename(2, 'bob');
    await stage.owe('person', 1, 2);
    await stage.query(`update staffetta.delivery set unsure = true where key = '2'`);
    const claim = { ...(await stage.claim()), leaseEnds: performance.now() + 4_000 };
    const { outcomes } = await stage.deliver(claim, stage.destination({ timeout: 5_000 }));
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['release', 'release']);
    expect(stage.target.changes).toEqual([]);
    expect(stage.target.reads).toEqual([]);
    await stage.settle();
    expect(stage.target.ids).toEqual([ada, 'uid=bob,ou=people']);
  });

  test('sends nothing more once its lease is too short for it, in the middle of a batch', async () => {
    for (let id = 1; id <= 5; id += 1) await stage.addPerson(id, `p${id}`);
    await stage.owe('person', 1, 2, 3, 4, 5);
    const claim = { ...(await stage.claim()), leaseEnds: performance.now() + 5_100 };
    stage.target.onChange = async (perform) => {
      if (stage.target.changes.length === 2)
        await until(
          () => performance.now() + 5_000,
          (now) => now >= claim.leaseEnds,
        );
      return perform();
    };
    const { outcomes } = await stage.deliver(claim, stage.destination({ concurrency: 1, timeout: 5_000 }));
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['done', 'done', 'release', 'release', 'release']);
    expect(stage.target.ids).toHaveLength(2);
    expect(await stage.deliveries()).toHaveLength(3);
  });
});

describe('told to stop', () => {
  test('finishes what is in flight and gives the rest back as it was', async () => {
    for (let id = 1; id <= 6; id += 1) await stage.addPerson(id, `p${id}`);
    await stage.owe('person', 1, 2, 3, 4, 5, 6);
    const stop = new AbortController();
    const both = Promise.withResolvers<void>();
    stage.target.onChange = async (perform) => {
      if (stage.target.changes.length === 2) {
        stop.abort();
        both.resolve();
      }
      await both.promise;
      return perform();
    };
    const { outcomes } = await stage.deliver(await stage.claim(), stage.destination({ concurrency: 2 }), stop.signal);
    expect(outcomes.filter(({ outcome }) => outcome === 'done')).toHaveLength(2);
    expect(stage.target.ids).toHaveLength(2);
    const left = await stage.deliveries();
    expect(left).toHaveLength(4);
    for (const delivery of left)
      expect(delivery).toMatchObject({ token: null, state: 'pending', attempts: 0, unsure: false, due: true });
  });
});
