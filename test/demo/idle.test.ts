import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { untilIdle } from '../../src/demo/idle.ts';
import { TourError } from '../../src/demo/tour-error.ts';
import { createRegistry, type Registry } from '../setup/registry.ts';

describe('waiting until nothing is owed', () => {
  const go = new AbortController().signal;
  let registry: Registry;
  let pool: pg.Pool;
  beforeAll(async () => {
    registry = await createRegistry();
    pool = new pg.Pool({ connectionString: registry.url, max: 1 });
    await registry.start();
  });
  afterAll(async () => {
    await pool.end();
    await registry.close();
  });

  test('is over when the directory has everything', async () => {
    await registry.query(`insert into registry.person (id, uid) select n, 'user' || n from generate_series(1, 50) n`);
    await untilIdle(pool, 'Fifty people', go);
    expect(await registry.differences()).toEqual([]);
  });

  test('gives up on what does not go on by itself, and says what that is', async () => {
    await registry.query('insert into registry.person (id, uid) values (99, null)');
    const waiting = untilIdle(pool, 'A person without a login', go, 500);
    await expect(waiting).rejects.toThrow(TourError);
    await expect(waiting).rejects.toThrow(
      /^A person without a login: 1 still owed after 0\.5 s .*\n- parked directory person 99: /,
    );
  });

  test('ends when told to', async () => {
    await expect(untilIdle(pool, 'Anything', AbortSignal.abort())).rejects.toThrow('aborted');
  });
});
