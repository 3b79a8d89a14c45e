import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createPool } from '../src/database/pool.ts';
import { Instance } from '../src/instance.ts';
import { createRegistry, type Registry } from './setup/registry.ts';

describe('an instance', () => {
  let registry: Registry;
  beforeAll(async () => {
    registry = await createRegistry();
  });
  afterAll(() => registry.close());

  test('lives from heartbeat to heartbeat, and begins another life after a silence', async () => {
    const pool = createPool(registry.url, 'test');
    const instance = new Instance(pool, registry.load());
    try {
      expect(instance.life.ends).toBeLessThan(performance.now());
      const begun = performance.now();
      await instance.beat('running');
      const first = instance.life;
      expect(first.ends).toBeGreaterThanOrEqual(begun + 20_000);
      expect(first.ends).toBeLessThan(performance.now() + 20_000);

      const sooner = first.ends;
      await instance.beat('running');
      expect(instance.life).toBe(first);
      expect(first.ends).toBeGreaterThan(sooner);

      const late = first.ends + 1;
      const clock = vi.spyOn(performance, 'now').mockReturnValue(late);
      await instance.beat('running');
      clock.mockRestore();
      expect(instance.life).not.toBe(first);
      expect(instance.life.ends).toBe(late + 20_000);
      expect(first.ends).toBe(late - 1);
    } finally {
      await instance.end();
      await pool.end();
    }
    expect(await registry.query('select * from staffetta.instance')).toEqual([]);
  });

  test('may be silent for longer than two of its operations last', async () => {
    await registry.configure(['timeout: 3s', 'timeout: 60s']);
    const pool = createPool(registry.url, 'test');
    const instance = new Instance(pool, registry.load());
    try {
      await instance.beat('starting');
      expect(
        await registry.query('select extract(epoch from silence)::int as silence from staffetta.instance'),
      ).toEqual([{ silence: 125 }]);
    } finally {
      await instance.end();
      await pool.end();
    }
  });

  test('says that it may be silent for longer where hooks may take long', async () => {
    const { config, ...loaded } = registry.load();
    const hook = { kind: 'module' as const, name: 'gate', module: 'gate.ts', timeout: 30_000, secrets: false };
    const pool = createPool(registry.url, 'test');
    const instance = new Instance(pool, { ...loaded, config: { ...config, hooks: [hook] } });
    try {
      await instance.beat('starting');
      // Two operations of 60 s, a hook before each, and a heartbeat.
      expect(
        await registry.query(
          'select extract(epoch from silence)::int as silence from staffetta.instance where instance = $1',
          [instance.instance],
        ),
      ).toEqual([{ silence: 185 }]);
    } finally {
      await instance.end();
      await pool.end();
    }
  });
});
