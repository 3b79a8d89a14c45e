import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type RemoteState, type Target, TargetError } from '../../src/targets/target.ts';
import { createStage, type Stage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await createStage();
});
beforeEach(async () => {
  await stage.clear();
  await stage.addPerson(1, 'ada', { mail: ['ada@x'] });
});
afterAll(() => stage.close());

const ada = 'uid=ada,ou=people';

/** The target of the stage, with some of its methods others, or none. */
function but(methods: Partial<Record<keyof Target, unknown>>): Target {
  return new Proxy(stage.target, {
    get: (real, name) => {
      if (Object.hasOwn(methods, name)) return Reflect.get(methods, name);
      const own: unknown = Reflect.get(real, name);
      return typeof own === 'function' ? own.bind(real) : own;
    },
  });
}

/** A target whose entries have no id but their name. */
function nameless(): Target {
  const { target } = stage;
  return but({
    apply: async (...asked: Parameters<typeof target.apply>) => ({ remoteId: (await target.apply(...asked)).remoteId }),
    read: async (...asked: Parameters<typeof target.read>): Promise<RemoteState | undefined> => {
      const [{ remoteId }, ...more] = asked;
      const found = await target.read({ remoteId }, ...more);
      if (!found) return undefined;
      const { stableId: _, ...rest } = found;
      return rest;
    },
  });
}

/** A target that cannot be read, and takes the addition of a value that it has. */
function blind(): Target {
  const { target } = stage;
  target.onChange = (perform, change) => {
    if (change.operation !== 'update') return perform();
    for (const one of change.changes) {
      try {
        target.perform({ ...change, changes: [one] });
      } catch (error) {
        if (!(error instanceof TargetError) || error.kind !== 'converged') throw error;
      }
    }
    return { remoteId: change.remoteId };
  };
  return but({ read: undefined });
}

/** Delivers person 1 as somebody who cannot trust the link: its last worker was never heard of again. */
async function deliverUnsure(destination = stage.destination()) {
  await stage.owe('person', 1);
  await stage.claim();
  await stage.expire();
  return stage.deliver(await stage.claim(), destination);
}

describe('whoever cannot trust the link (PROTOCOL B5)', () => {
  test('writes everything where the target cannot be read', async () => {
    const destination = stage.destination({ target: blind() });
    await stage.owe('person', 1);
    await stage.settle(destination);
    await deliverUnsure(destination);
    expect(stage.target.reads).toEqual([]);
    expect(stage.target.changes.at(-1)).toMatchObject({
      operation: 'update',
      remoteId: ada,
      changes: expect.arrayContaining([
        { attribute: 'cn', action: 'replace', values: ['ada'] },
        { attribute: 'mail', action: 'replace', values: ['ada@x'] },
        { attribute: 'roomNumber', action: 'replace', values: [] },
      ]),
    });
    expect(await stage.delivery(1)).toBeUndefined();
  });

  test('takes away what may have been made of somebody who is gone, where the target cannot be read', async () => {
    const destination = stage.destination({ target: blind() });
    stage.target.onChange = (perform) => {
      perform();
      throw new TargetError('unknown', 'no answer', { unsure: true });
    };
    await stage.owe('person', 1);
    await stage.deliver(await stage.claim(), destination);
    expect(await stage.link(1)).toBeUndefined();
    expect(stage.target.ids).toEqual([ada]);
    stage.target.onChange = (perform) => perform();
    await stage.query('truncate registry.person');
    await stage.owe('person', 1);
    await stage.settle(destination);
    expect(stage.target.sent.at(-1)).toBe(`remove ${ada}`);
    expect(stage.target.ids).toEqual([]);
    expect(await stage.reserved()).toEqual({});
    expect(await stage.delivery(1)).toBeUndefined();
  });

  test('goes by the name alone where the target has no id that survives renames', async () => {
    const destination = stage.destination({ target: nameless() });
    await stage.owe('person', 1);
    await stage.settle(destination);
    expect((await stage.link(1))?.stable_id).toBeNull();
    stage.target.perform({
      operation: 'update',
      entity: 'person',
      remoteId: ada,
      changes: [{ attribute: 'cn', action: 'replace', values: ['Eve'] }],
    });
    await deliverUnsure(destination);
    expect(stage.target.entry(ada)).toMatchObject({ cn: ['ada'] });
    expect(stage.target.ids).toEqual([ada]);
    expect(await stage.delivery(1)).toBeUndefined();
  });

  test.each(['with', 'without'])('takes away what we made beside its entry, on a target %s stable ids', async (how) => {
    const destination = stage.destination(how === 'without' ? { target: nameless() } : {});
    await stage.owe('person', 1);
    await stage.settle(destination);
    const beside = 'uid=ada2,ou=people';
    stage.target.perform({ operation: 'create', entity: 'person', remoteId: beside, attributes: {} });
    await stage.query(`insert into staffetta.remote_id values ('directory', $1, 'person', '1')`, [beside]);
    await deliverUnsure(destination);
    await stage.settle(destination);
    expect(stage.target.ids).toEqual([ada]);
    expect(await stage.reserved()).toEqual({ [ada]: '1' });
    expect(await stage.delivery(1)).toBeUndefined();
  });

  test.each(['somebody else made', 'nobody knows who made'])('leaves what %s beside it', async (who) => {
    const telling = stage.target;
    const silent = but({
      read: async (...asked: Parameters<typeof telling.read>) => {
        const { createdByUs: _, ...rest } = (await telling.read(...asked)) ?? {};
        return 'remoteId' in rest ? rest : undefined;
      },
    });
    const destination = stage.destination(who === 'somebody else made' ? {} : { target: silent });
    await stage.owe('person', 1);
    await stage.settle(destination);
    const beside = 'uid=ada2,ou=people';
    stage.target.plant(beside);
    await stage.query(`insert into staffetta.remote_id values ('directory', $1, 'person', '1')`, [beside]);
    await deliverUnsure(destination);
    await stage.settle(destination);
    expect(stage.target.ids).toEqual([ada, beside]);
    expect(await stage.delivery(1)).toBeUndefined();
  });

  test('finds another entry in the place of its own, which is gone, and leaves that alone', async () => {
    await stage.owe('person', 1);
    await stage.settle();
    stage.target.uproot(ada);
    stage.target.plant(ada, { cn: ['somebody else'] });
    await deliverUnsure();
    await stage.settle();
    expect(stage.target.entry(ada)).toEqual({ cn: ['somebody else'] });
    expect(await stage.delivery(1)).toMatchObject({ state: 'parked', error_kind: 'exists' });
  });

  test('compares every column where the mapping leaves the attributes open, and those that were written before', async () => {
    const destination = stage.destination({}, { person: { attributes: undefined } });
    await stage.owe('person', 1);
    await stage.settle(destination);
    await stage.query('update registry.person set mail = null, room = 5');
    stage.target.perform({
      operation: 'update',
      entity: 'person',
      remoteId: ada,
      changes: [
        { attribute: 'cn', action: 'replace', values: ['Eve'] },
        { attribute: 'title', action: 'replace', values: ['theirs'] },
      ],
    });
    await deliverUnsure(destination);
    expect(stage.target.entry(ada)).toEqual({
      objectClass: ['person'],
      cn: ['ada'],
      roomNumber: ['200'],
      title: ['theirs'],
    });
    await stage.query('truncate registry.person');
    await deliverUnsure(destination);
    expect(stage.target.ids).toEqual([]);
  });

  test('has a mistake of our own told, and the delivery still to be read', async () => {
    await stage.owe('person', 1);
    await stage.settle();
    stage.target.onRead = () => {
      throw new RangeError('ours');
    };
    const { failure } = await deliverUnsure();
    expect(failure).toBeInstanceOf(RangeError);
    expect(stage.target.sent).toEqual([`create ${ada}`]);
    expect((await stage.delivery(1))?.unsure).toBe(true);
  });
});

describe('an existing entry is not looked for', () => {
  const unasked = () => {
    throw new Error('asked');
  };

  test('where the identity has nothing to be recognised by', async () => {
    await stage.query('update registry.person set mail = null');
    stage.target.onFind = unasked;
    await stage.owe('person', 1);
    await stage.settle(stage.destination({}, { matches: true }));
    expect(stage.target.ids).toEqual([ada]);
  });

  test('on a target that cannot look', async () => {
    await stage.owe('person', 1);
    await stage.settle(stage.destination({ target: but({ find: undefined }) }, { matches: true }));
    expect(stage.target.ids).toEqual([ada]);
  });

  test('by a mistake of our own, which is told: nothing is created', async () => {
    stage.target.onFind = unasked;
    await stage.owe('person', 1);
    const { failure } = await stage.deliver(await stage.claim(), stage.destination({}, { matches: true }));
    expect(failure).toMatchObject({ message: 'asked' });
    expect(stage.target.sent).toEqual([]);
  });
});
