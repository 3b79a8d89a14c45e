import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { aosiResults } from '../../src/commands/aosi-results.ts';
import { type Call, HookError, type HookModule, type Said } from '../../src/hooks/hook.ts';
import { Hooks } from '../../src/hooks/hooks.ts';
import { refusal } from './scripted-target.ts';
import { createStage, type Stage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await createStage();
});
beforeEach(() => stage.clear());
afterAll(() => stage.close());

const well: Said = { code: 0, msg: 'OK', panic: false };
const calls: string[] = [];

/** A module that says what `answer` says. */
function moduleOf(
  name: string,
  answer: (call: Call) => Said | undefined | Promise<Said | undefined>,
  timeout = 1000,
): HookModule {
  return {
    name,
    timeout,
    secrets: false,
    call: async (call, { begin }) => {
      begin();
      calls.push(`${name} ${call.function}${call.type ?? ''}`);
      return await answer(call);
    },
  };
}

function destination(...modules: HookModule[]) {
  calls.length = 0;
  const hooks = new Hooks([{ modules: async () => modules, mistakes: async () => [], close: async () => {} }]);
  return stage.destination({ hooks });
}

const panic = (msg: string): Said => ({ code: -10101, msg, panic: true });
const on = (name: string, answer: (call: Call) => Said) => (call: Call) =>
  call.function === name ? answer(call) : well;

/** What hooks said, in the order of the journal. */
async function rows(): Promise<string[]> {
  const found = await stage.query<{ line: string }>(
    `select concat_ws(' ', key, operation, result, module, hook, code, message) as line from staffetta.journal
     where hook is not null or run is not null order by at, ctid`,
  );
  return found.map(({ line }) => line);
}

describe('a change with hooks', () => {
  test('is made between those before and those after it, and each has a row in the journal', async () => {
    const people: (string | null)[] = [];
    const one = moduleOf('one', ({ actor, status, outcome }) => {
      people.push(`${actor} ${Object.keys(status)} ${outcome?.code}`);
      return well;
    });
    const two = moduleOf('two', () => ({ code: -10242, msg: 'not found', panic: false }));
    await stage.addPerson(1, 'ada');
    await stage.owe('person', 1);
    await stage.query(`update staffetta.delivery set last_actor = 'registrar'`);
    await stage.settle(destination(one, two));
    expect(stage.target.ids).toEqual(['uid=ada,ou=people']);
    expect(calls).toEqual(['one beforeCreate', 'two beforeCreate', 'one afterCreate', 'two afterCreate']);
    expect(people).toEqual(['registrar  undefined', 'registrar one,two 0']);
    expect(await rows()).toEqual([
      '1 create done',
      '1 create passed one beforeCreate 0 OK',
      '1 create failed two beforeCreate -10242 not found',
      '1 create passed one afterCreate 0 OK',
      '1 create failed two afterCreate -10242 not found',
    ]);
    expect(await stage.deliveries()).toEqual([]);
  });

  test('is not called for what is right already, and once for each kind of attribute of an update', async () => {
    const hooks = destination(moduleOf('one', () => well));
    await stage.addPerson(1, 'ada', { mail: ['a@x'] });
    await stage.owe('person', 1);
    await stage.settle(hooks);
    await stage.owe('person', 1);
    await stage.settle(hooks);
    expect(calls).toEqual(['one beforeCreate', 'one afterCreate']);
    await stage.query(`update registry.person set uid = 'eve', mail = null, room = 10`);
    await stage.owe('person', 1);
    await stage.settle(hooks);
    await stage.query('delete from registry.person');
    await stage.owe('person', 1);
    await stage.settle(hooks);
    expect(calls.slice(2)).toEqual([
      ...['one beforeUpdate1', 'one beforeUpdate2', 'one beforeUpdate3'],
      ...['one afterUpdate1', 'one afterUpdate2', 'one afterUpdate3'],
      ...['one beforeRemove', 'one afterRemove'],
    ]);
  });

  test('that one stops is not made: it is parked with the name of the module, and nothing after it is called', async () => {
    const hooks = destination(
      moduleOf('one', () => well),
      moduleOf(
        'gate',
        on('beforeCreate', ({ key }) => (key === '2' ? panic('not her') : well)),
      ),
      moduleOf('two', () => well),
    );
    await stage.addPerson(1, 'ada');
    await stage.addPerson(2, 'eve');
    await stage.owe('person', 1, 2);
    await stage.settle(hooks);
    expect(stage.target.ids).toEqual(['uid=ada,ou=people']);
    expect(await stage.deliveries()).toMatchObject([
      { key: '2', state: 'parked', error_kind: 'rejected', error: 'hook gate, beforeCreate: not her', unsure: false },
    ]);
    expect((await rows()).filter((row) => row.startsWith('2'))).toEqual([
      '2 create parked hook gate, beforeCreate: not her',
      '2 create passed one beforeCreate 0 OK',
      '2 create refused gate beforeCreate -10101 not her',
    ]);
    expect(await stage.reserved()).toEqual({ 'uid=ada,ou=people': '1' });
    // Whoever is let in later is.
    await stage.owe('person', 2);
    await stage.settle(destination(moduleOf('gate', () => well)));
    expect(stage.target.ids).toEqual(['uid=ada,ou=people', 'uid=eve,ou=people']);
  });

  test('that failed is told to those after it, with the reason', async () => {
    const outcomes: unknown[] = [];
    const hooks = destination(
      moduleOf('one', ({ outcome }) => {
        outcomes.push(outcome);
        return well;
      }),
    );
    stage.target.onChange = () => {
      throw refusal('rejected', 'no such class');
    };
    await stage.addPerson(1, 'ada');
    await stage.owe('person', 1);
    await stage.settle(hooks);
    expect(outcomes).toEqual([
      undefined,
      { done: false, code: -1, message: 'no such class', kind: 'rejected', remoteId: 'uid=ada,ou=people' },
    ]);
    expect(await stage.delivery(1)).toMatchObject({ state: 'parked', error: 'no such class' });
  });

  test('that was made stays made where one after it stops; that is for a person to see', async () => {
    const hooks = destination(
      moduleOf(
        'gate',
        on('afterCreate', () => panic('too late')),
      ),
      moduleOf('two', () => well),
    );
    await stage.addPerson(1, 'ada');
    await stage.owe('person', 1);
    await stage.settle(hooks);
    expect(calls).toEqual(['gate beforeCreate', 'two beforeCreate', 'gate afterCreate']);
    expect(await stage.delivery(1)).toMatchObject({ state: 'parked', error: 'hook gate, afterCreate: too late' });
    expect(await stage.link(1)).toMatchObject({ remote_id: 'uid=ada,ou=people' });
    await stage.owe('person', 1);
    await stage.settle(hooks);
    expect(await stage.deliveries()).toEqual([]);
    expect(stage.target.changes).toHaveLength(1);
  });

  test('is made whatever a module that fails does', async () => {
    const hooks = destination(
      moduleOf('broken', () => {
        throw new HookError('threw: it broke');
      }),
    );
    await stage.addPerson(1, 'ada');
    await stage.owe('person', 1);
    await stage.settle(hooks);
    expect(stage.target.ids).toEqual(['uid=ada,ou=people']);
    expect(await rows()).toEqual([
      '1 create done',
      '1 create failed broken beforeCreate -10000 threw: it broke',
      '1 create failed broken afterCreate -10000 threw: it broke',
    ]);
  });

  describe('where its claim may end before a hook does', () => {
    let late = 0;
    beforeEach(() => {
      late = 0;
      const now = performance.now.bind(performance);
      vi.spyOn(performance, 'now').mockImplementation(() => now() + late);
    });
    afterEach(() => vi.restoreAllMocks());
    const slow = (name: string, timeout: number) =>
      moduleOf(
        name,
        () => {
          late += 40_000;
          return well;
        },
        timeout,
      );

    async function deliver(...modules: HookModule[]) {
      await stage.addPerson(1, 'ada');
      await stage.addPerson(2, 'eve');
      await stage.owe('person', 1, 2);
      const claim = await stage.claim();
      const { outcomes, reached } = await stage.deliver(claim, { ...destination(...modules), concurrency: 1 });
      return {
        reached,
        became: outcomes.map(({ key, outcome, error }) => [key, outcome, error?.message ?? '']).sort(),
      };
    }

    test('is given back, and what was made already is settled', async () => {
      const { became } = await deliver(slow('slow', 30_000));
      expect(became).toEqual([
        ['1', 'done', ''],
        ['2', 'release', ''],
      ]);
      expect(calls).toEqual(['slow beforeCreate']);
      expect(await rows()).toEqual([
        '1 create done',
        '1 create passed slow beforeCreate 0 OK',
        expect.stringMatching(/^1 create failed slow afterCreate -10000 its hooks may take longer than a claim lasts/),
      ]);
    });

    test('has failed if its own hooks are too slow together, and the target is not taken for reached', async () => {
      const { became, reached } = await deliver(
        slow('one', 1000),
        moduleOf('two', () => well, 30_000),
      );
      const reason = expect.stringMatching(
        /^its hooks may take longer than a claim lasts \(a call may take 30000 ms\)/,
      );
      expect(became).toEqual([
        ['1', 'retry', reason],
        ['2', 'retry', reason],
      ]);
      expect(reached).toBe(false);
      expect(stage.target.changes).toEqual([]);
    });

    test('has failed if one is slower than any claim', async () => {
      const { became } = await deliver(moduleOf('one', () => well, 300_000));
      expect(became.map(([key, outcome]) => `${key} ${outcome}`)).toEqual(['1 retry', '2 retry']);
      expect(calls).toEqual([]);
    });
  });

  test('is not tried where the target cannot say where its tree begins, and is told that there is none to search', async () => {
    const hooks = destination(
      moduleOf('one', () => well),
      {
        name: 'seeker',
        timeout: 1000,
        secrets: false,
        call: async ({ baseDn }, { search, begin }) => {
          const error: unknown = await search('(uid=ada)', {}, begin()).catch((reason: unknown) => reason);
          return { ...well, msg: `${baseDn} ${error}` };
        },
      },
    );
    await stage.addPerson(1, 'ada');
    await stage.owe('person', 1);
    const away = Object.assign(stage.target, {
      base: async () => {
        throw refusal('unavailable', 'gone fishing');
      },
    });
    const claim = await stage.claim();
    const { unavailable } = await stage.deliver(claim, { ...hooks, target: away });
    expect({ unavailable, calls, changes: away.changes }).toEqual({
      unavailable: 'gone fishing',
      calls: [],
      changes: [],
    });
    await stage.clear();
    await stage.owe('person', 1);
    await stage.addPerson(1, 'ada');
    await stage.settle({ ...hooks, target: stage.target });
    const reason = 'TargetError: target directory cannot be searched';
    expect((await rows())[2]).toBe(`1 create passed seeker beforeCreate 0 null ${reason}`);
  });

  test('of an initial load leaves rows only of what went wrong', async () => {
    const hooks = destination(moduleOf('one', ({ key }) => (key === '2' ? { ...well, code: -10101 } : well)));
    for (const [id, uid] of [
      [1, 'ada'],
      [2, 'eve'],
      [3, 'bob'],
    ] as const)
      await stage.addPerson(id, uid);
    await stage.owe('person', 1, 2, 3);
    await stage.query('update staffetta.delivery set priority = 1');
    await stage.settle(hooks);
    expect((await stage.journal()).sort()).toEqual([
      '2 create done',
      '2 create failed',
      '2 create failed',
      'create done',
    ]);
  });

  test('is shown as AOSI answers: with what each module said, or bare where none was called', async () => {
    await stage.addPerson(1, 'ada');
    await stage.owe('person', 1);
    await stage.settle(
      destination(
        moduleOf('MSAD', () => ({ code: -10031, msg: 'User <user> does not exists!', panic: false })),
        moduleOf('File', () => well),
      ),
    );
    await stage.query(`update registry.person set name = 'Ada'`);
    await stage.owe('person', 1);
    await stage.settle();
    const all = [null, null, null, null, false, 50];
    expect(await aosiResults(stage.pool, all)).toEqual([
      [
        '<entry dn="uid=ada,ou=people">',
        '    <before_plugin_status name="MSAD" code="-10031">User &lt;user&gt; does not exists!</before_plugin_status>',
        '    <before_plugin_status name="File" code="0">OK</before_plugin_status>',
        '    <status code="0">Success!</status>',
        '    <after_plugin_status name="MSAD" code="-10031">User &lt;user&gt; does not exists!</after_plugin_status>',
        '    <after_plugin_status name="File" code="0">OK</after_plugin_status>',
        '</entry>',
      ].join('\n'),
      '<entry dn="uid=ada,ou=people">\n    <status code="0">Success!</status>\n</entry>',
    ]);
  });
});
