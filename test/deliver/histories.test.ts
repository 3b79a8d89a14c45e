/**
 * Any history of changes, workers, deaths and failures comes to the same end (PROTOCOL B4–B7): when writing stops, the
 * target holds what is desired, nothing twice and nothing else. Mails are unique, and change hands as names do.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TargetErrorKind } from '../../src/targets/target.ts';
import { refusal } from './scripted-target.ts';
import { createStage, type Stage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await createStage();
});
afterAll(() => stage.close());

const keys = [1, 2, 3] as const;
const names = ['ada', 'eve', 'bob', 'Eve'] as const;
const mails = ['a@x', 'b@x', 'c@x', 'B@X'] as const;

const destination = (more?: Parameters<Stage['destination']>[0]) =>
  stage.destination(more, { person: { unique: new Set(['mail']) } });

const change = fc.record({
  do: fc.constant('change' as const),
  id: fc.constantFrom(...keys),
  uid: fc.option(fc.constantFrom(...names), { freq: 8 }),
  name: fc.constantFrom('x', 'y'),
  mail: fc.subarray([...mails], { maxLength: 2 }),
});
const remove = fc.record({ do: fc.constant('remove' as const), id: fc.constantFrom(...keys) });
/** A worker claims and delivers: to the end, until it dies before it settles, or settles so late that it is fenced off. */
const work = fc.record({
  do: fc.constantFrom('work' as const, 'die' as const, 'settle late' as const),
  limit: fc.integer({ min: 1, max: 3 }),
  /** What becomes of its changes, in turn: done, done and failed, or failed. */
  fate: fc.array(
    fc.record({
      kind: fc.constantFrom<TargetErrorKind>('unavailable', 'unknown', 'converged', 'rejected', 'gone'),
      done: fc.boolean(),
    }),
    { maxLength: 1 },
  ),
});
const arrive = fc.record({ do: fc.constant('arrive' as const) });
const step = fc.oneof(
  { arbitrary: change, weight: 5 },
  { arbitrary: remove, weight: 2 },
  { arbitrary: work, weight: 5 },
  arrive,
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Plays a history; `late` are the workers that were fenced off and have not noticed. */
async function play(steps: readonly Step[]): Promise<void> {
  const late: { go: () => void; ended: Promise<unknown> }[] = [];
  const arriveAll = async () => {
    for (const { go, ended } of late.splice(0)) {
      go();
      await ended;
    }
  };
  for (const step of steps) {
    if (step.do === 'change') {
      await stage.query('delete from registry.person where id = $1', [step.id]);
      await stage.addPerson(step.id, step.uid, { name: step.name, mail: step.mail });
      await stage.owe('person', step.id);
    } else if (step.do === 'remove') {
      await stage.query('delete from registry.person where id = $1', [step.id]);
      await stage.owe('person', step.id);
    } else if (step.do === 'arrive') await arriveAll();
    else {
      const worker = await employ(step);
      if (worker) late.push(worker);
    }
    await stage.forward();
  }
  await arriveAll();
}

/** Has one worker work; answers with it if it is to finish later. */
async function employ(
  step: Extract<Step, { limit: number }>,
): Promise<{ go: () => void; ended: Promise<unknown> } | undefined> {
  const claimable = (await stage.deliveries()).some(
    ({ state, token, due }) => due && token === null && state !== 'parked',
  );
  if (!claimable) return undefined;
  await stage.query(`update staffetta.target set state = 'active', retry_at = null`);
  const claim = await stage.claim(step.limit);
  const sent = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  const killed = new AbortController();
  const fates = [...step.fate];
  const { target } = stage;
  const own = new Proxy(target, {
    get: (real, name) => {
      if (name === 'apply')
        return async (asked: Parameters<typeof real.apply>[0]) => {
          const fate = fates.shift();
          // Only what is certain not to have been done is refused for certain.
          const unsure = fate?.done ?? false;
          const answer = fate && !fate.done ? undefined : real.perform(asked);
          if (fate) throw refusal(fate.kind, 'as fate has it', unsure);
          return answer;
        };
      const value = Reflect.get(real, name);
      return typeof value === 'function' ? value.bind(real) : value;
    },
  });
  const database = stage.interpose({
    before: async (statement) => {
      if (statement !== 'settle') return;
      if (step.do === 'die') {
        killed.abort();
        throw new Error('killed');
      }
      sent.resolve();
      if (step.do === 'settle late') await gate.promise;
    },
  });
  const ended = stage.deliver(claim, destination({ target: own }), killed.signal, database).catch((error: Error) => {
    if (error.message !== 'killed') throw error;
  });
  if (step.do === 'work' || step.do === 'die') {
    await ended;
    await stage.expire();
    return undefined;
  }
  await Promise.race([sent.promise, ended]);
  await stage.expire();
  return { go: gate.resolve, ended };
}

/** Writing has stopped: everything that is owed is paid, however often it has to be looked at. */
async function rest(): Promise<void> {
  await stage.owe('person', ...keys);
  for (let rounds = 0; rounds < 12 && (await stage.deliveries()).length > 0; rounds += 1) {
    await stage.expire();
    await stage.forward();
    await stage.settle(destination());
  }
}

const byKey = (one: { key: string }, other: { key: string }) => Number(one.key) - Number(other.key);

describe('every history', () => {
  test('converges: each identity has its one entry, and nothing else is left', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 4, maxLength: 14 }),
        fc.shuffledSubarray([...names.slice(0, 3)], { minLength: 3 }),
        fc.shuffledSubarray([...mails.slice(0, 3)], { minLength: 3 }),
        async (steps, last, lastMails) => {
          await stage.clear();
          await play(steps);
          // The last word: everybody who is there has a name and a mail of their own.
          for (const [index, uid] of last.entries())
            await stage.query('update registry.person set uid = $2, mail = array[$3] where id = $1', [
              keys[index],
              uid,
              lastMails[index],
            ]);
          await rest();
          const people = await stage.query<{ id: string; uid: string; name: string; mail: string[] }>(
            'select id, uid, name, mail from registry.person order by uid',
          );
          expect(await stage.deliveries()).toEqual([]);
          const entries = stage.target.ids.map((id) => ({ id: id.toLowerCase(), entry: stage.target.entry(id) }));
          expect(entries.map(({ id, entry }) => [id, entry?.cn, entry?.mail]).sort()).toEqual(
            people.map(({ uid, name, mail }) => [`uid=${uid},ou=people`, [name], mail]),
          );
          const links = await stage.query<{ key: string; remote_id: string }>(
            'select key, remote_id from staffetta.link order by remote_id',
          );
          expect(links).toEqual(people.map(({ id, uid }) => ({ key: id, remote_id: `uid=${uid},ou=people` })));
          expect(Object.keys(await stage.reserved())).toEqual(people.map(({ uid }) => `uid=${uid},ou=people`));
          const held = await stage.query('select key, normalised from staffetta.remote_value order by 1');
          expect(held).toEqual(people.map(({ id, mail }) => ({ key: id, normalised: mail[0] })).sort(byKey));
        },
      ),
      { numRuns: 60, timeout: 6000 },
    );
  }, 60_000);
});
