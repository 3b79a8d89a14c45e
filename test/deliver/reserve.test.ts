import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { reserve, reservedIds, type Wish } from '../../src/deliver/reserve.ts';
import { createStage, type Stage } from './stage.ts';

let stage: Stage;
let token: string;
beforeAll(async () => {
  stage = await createStage();
});
beforeEach(async () => {
  await stage.clear();
  await stage.owe('person', 1, 2, 3);
  token = (await stage.claim()).token;
});
afterAll(() => stage.close());

const wish = (key: number, normalised: string): Wish => ({ key: `${key}`, normalised });
const ask = (wishes: readonly Wish[], by = token) =>
  reserve(stage.pool, { target: 'directory', entity: 'person', token: by, wishes });
const holders = async (wishes: readonly Wish[], by = token) =>
  (await ask(wishes, by))
    .map(({ key, normalised, holder, fenced }) => [key, normalised, fenced ? 'fenced' : holder?.key])
    .sort();

describe('reserving remote ids (PROTOCOL B6)', () => {
  test('gives each key what nobody holds, and keeps it', async () => {
    expect(await holders([wish(1, 'uid=a'), wish(2, 'uid=b')])).toEqual([
      ['1', 'uid=a', '1'],
      ['2', 'uid=b', '2'],
    ]);
    expect(await stage.reserved()).toEqual({ 'uid=a': '1', 'uid=b': '2' });
  });

  test('counts what is one’s own already as won', async () => {
    await ask([wish(1, 'uid=a')]);
    expect(await holders([wish(1, 'uid=a')])).toEqual([['1', 'uid=a', '1']]);
  });

  test('names the holder of what is taken', async () => {
    await ask([wish(1, 'uid=a')]);
    expect(await holders([wish(2, 'uid=a'), wish(3, 'uid=c')])).toEqual([
      ['2', 'uid=a', '1'],
      ['3', 'uid=c', '3'],
    ]);
  });

  test('gives one of two that wish for the same in one batch the id, and the other its name', async () => {
    expect(await holders([wish(3, 'uid=a'), wish(2, 'uid=a')])).toEqual([
      ['2', 'uid=a', '2'],
      ['3', 'uid=a', '2'],
    ]);
    expect(await stage.reserved()).toEqual({ 'uid=a': '2' });
  });

  test('keeps how the entry that is about to be made is to be disabled: what was said last', async () => {
    const meaning = (remote_id: string) => ({ ...wish(1, 'uid=a'), disable: { remote_id, attributes: {} } });
    const kept = async () =>
      (await stage.query(`select disable ->> 'remote_id' as meant from staffetta.remote_id`))[0]?.meant;
    await ask([meaning('uid=former')]);
    expect(await kept()).toBe('uid=former');
    await ask([meaning('uid=later')]);
    await ask([wish(1, 'uid=a')]);
    expect(await kept()).toBe('uid=later');
    await ask([{ ...meaning('uid=other'), key: '2' }]);
    await ask([meaning('uid=fenced')], randomUUID());
    expect(await kept()).toBe('uid=later');
  });

  test('gives a key two ids for a rename', async () => {
    await ask([wish(1, 'uid=a'), wish(1, 'uid=b')]);
    expect(await stage.reserved()).toEqual({ 'uid=a': '1', 'uid=b': '1' });
    expect(await reservedIds(stage.pool, 'directory', 'person', ['1', '2'])).toEqual(
      new Map([['1', ['uid=a', 'uid=b']]]),
    );
  });

  test('gives nothing to whose claim is gone', async () => {
    expect(await holders([wish(1, 'uid=a')], randomUUID())).toEqual([['1', 'uid=a', 'fenced']]);
    expect(await stage.reserved()).toEqual({});
  });

  test('asks the database nothing where there is no wish', async () => {
    expect(await ask([])).toEqual([]);
  });

  test('lets one of two workers win that ask at the same moment, and tells both who', async () => {
    await stage.clear();
    await stage.owe('person', 1, 2);
    const [first, second] = [await stage.claim(1), await stage.claim(1)];
    const [one] = first.deliveries;
    const [two] = second.deliveries;
    const wishes = Array.from({ length: 30 }, (_, index) => `uid=${index}`);
    const answers = await Promise.all(
      wishes.flatMap((normalised) => [
        ask([{ key: one?.key ?? '', normalised }], first.token),
        ask([{ key: two?.key ?? '', normalised }], second.token),
      ]),
    );
    const reserved = await stage.reserved();
    expect(Object.keys(reserved)).toHaveLength(30);
    // Who lost in the very instant is told nothing, and asks again.
    for (const { normalised, holder } of answers.flat())
      expect([undefined, reserved[normalised]]).toContain(holder?.key);
    for (const { key, normalised, holder } of answers.flat())
      if (reserved[normalised] === key) expect(holder?.key).toBe(key);
  });
});
