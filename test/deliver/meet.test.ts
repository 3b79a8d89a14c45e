import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Health } from '../../src/targets/target.ts';
import { refusal, ScriptedTarget } from './scripted-target.ts';
import { createStage, type Stage } from './stage.ts';

/** A target that tells which installation it is, and remembers which one it was told to expect. */
class Installation extends ScriptedTarget {
  readonly expected: (string | undefined)[] = [];
  onPing: () => Health | Promise<Health> = () => ({ summary: 'a target', identity: 'here' });

  override async ping(): Promise<Health> {
    return await this.onPing();
  }

  expect(identity: string | undefined): void {
    this.expected.push(identity);
  }
}

let stage: Stage;
let target: Installation;
beforeAll(async () => {
  stage = await createStage();
});
beforeEach(async () => {
  await stage.clear();
  await stage.query('update staffetta.target set identity = null');
  target = new Installation();
  await stage.addPerson(1, 'ada');
  await stage.owe('person', 1);
});
afterAll(() => stage.close());

const identity = async () => (await stage.query('select identity from staffetta.target'))[0]?.identity;
const deliver = async () => stage.deliver(await stage.claim(), stage.destination({ target }));
const given = { token: null, state: 'pending', attempts: 0, due: true };

describe('an installation that links belong to (PROTOCOL C5)', () => {
  test('is the first that answers; from then on no other will do', async () => {
    await deliver();
    expect(await identity()).toBe('here');
    expect(target.expected).toEqual([undefined, 'here']);
    await stage.owe('person', 1);
    target.onPing = () => {
      throw new Error('asked again');
    };
    await deliver();
    expect(target.expected).toEqual([undefined, 'here', 'here']);
  });

  test('cannot be recorded while the database is away: nothing is sent, and what was claimed is given back', async () => {
    const database = stage.interpose({
      before: (statement) => {
        if (statement.includes('set identity')) throw new Error('terminating connection');
      },
    });
    const claim = await stage.claim();
    const { failure } = await stage.deliver(claim, stage.destination({ target }), undefined, database);
    expect(failure).toMatchObject({ message: 'terminating connection' });
    expect([target.changes, await stage.delivery(1)]).toMatchObject([[], given]);
  });

  test('is the one that another daemon met in the same moment', async () => {
    target.onPing = async () => {
      await stage.query(`update staffetta.target set identity = 'there'`);
      return { summary: 'a target', identity: 'here' };
    };
    await deliver();
    expect(await identity()).toBe('there');
    expect(target.expected).toEqual([undefined, 'there']);
  });

  test.each(['unavailable', 'misconfigured'] as const)(
    'is not there to be met: %s; nothing is sent, and every delivery is given back',
    async (kind) => {
      target.onPing = () => {
        throw refusal(kind, 'nobody is at home');
      };
      const { unavailable, misconfigured } = await deliver();
      expect({ unavailable, misconfigured }).toEqual({
        unavailable: undefined,
        misconfigured: undefined,
        [kind]: 'nobody is at home',
      });
      expect(target.sent).toEqual([]);
      expect(await stage.delivery(1)).toMatchObject(given);
      expect(await identity()).toBeNull();
    },
  );

  test('cannot be told where it answers everything else: then any will do', async () => {
    target.onPing = () => {
      throw refusal('one-sided', 'you may not ask');
    };
    await deliver();
    expect(target.ids).toEqual(['uid=ada,ou=people']);
    expect(await identity()).toBeNull();
    expect(target.expected).toEqual([undefined]);
  });

  test('is no excuse for a mistake of our own, which is told', async () => {
    target.onPing = () => {
      throw new RangeError('ours');
    };
    expect((await deliver()).failure).toBeInstanceOf(RangeError);
    expect(target.sent).toEqual([]);
  });
});
