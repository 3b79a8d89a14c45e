import { expect, test, vi } from 'vitest';
import { Kicker } from '../src/kicker.ts';

/** A kick that is over when the test says so, and those that began. */
function slow() {
  const ends: ((seconds?: number) => void)[] = [];
  const kick = () => new Promise<number | undefined>((resolve) => ends.push(resolve));
  return { kick, ends };
}
const settled = () => new Promise((resolve) => setImmediate(resolve));

test('kicks that come during a kick are one kick after it', async () => {
  const { kick, ends } = slow();
  const kicker = new Kicker(kick, () => {});
  for (let times = 0; times < 3; times += 1) kicker.kick();
  expect(ends).toHaveLength(1);
  ends[0]?.();
  await settled();
  expect(ends).toHaveLength(2);
  ends[1]?.();
  await settled();
  expect(ends).toHaveLength(2);
});

test('kicks again by itself after the seconds that were answered, which the next answer replaces', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    const answers = [2, 5, undefined];
    let kicks = 0;
    const kicker = new Kicker(
      async () => answers[kicks++],
      () => {},
    );
    kicker.kick();
    await settled();
    kicker.kick();
    await settled();
    await vi.advanceTimersByTimeAsync(4_000);
    expect(kicks).toBe(2);
    await vi.advanceTimersByTimeAsync(1_001);
    expect(kicks).toBe(3);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(kicks).toBe(3);
  } finally {
    vi.useRealTimers();
  }
});

test('a failure is told, and the next kick tries again', async () => {
  const failures: unknown[] = [];
  let kicks = 0;
  const kicker = new Kicker(
    async () => {
      kicks += 1;
      throw new Error('no database');
    },
    (error) => failures.push(error),
  );
  kicker.kick();
  await settled();
  kicker.kick();
  await settled();
  expect([kicks, failures.map(String)]).toEqual([2, ['Error: no database', 'Error: no database']]);
});

test('once stopped it kicks no more, and waits for the kick that is under way', async () => {
  const { kick, ends } = slow();
  const kicker = new Kicker(kick, () => {});
  kicker.kick();
  let isOver = false;
  const stopping = kicker.stop().then(() => {
    isOver = true;
  });
  kicker.kick();
  await settled();
  expect([ends.length, isOver]).toEqual([1, false]);
  ends[0]?.(0);
  await stopping;
  kicker.kick();
  expect(ends).toHaveLength(1);
});
