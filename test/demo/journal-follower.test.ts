import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { moment } from '../../src/demo/carried.ts';
import { JournalFollower } from '../../src/demo/journal-follower.ts';
import { createRegistry, type Registry } from '../setup/registry.ts';

describe('a follower of the journal', () => {
  let registry: Registry;
  let pool: pg.Pool;
  beforeAll(async () => {
    registry = await createRegistry();
    pool = new pg.Pool({ connectionString: registry.url, max: 2 });
  });
  afterAll(async () => {
    await pool.end();
    await registry.close();
  });
  const write = (database: Pick<pg.Pool, 'query'>, key: string) =>
    database.query(
      `insert into staffetta.journal (target, entity, key, operation, result, lag) values ('directory', 'person', $1, 'update', 'done', '21 ms')`,
      [key],
    );

  test('tells of every row once, also of one that commits after others with later times', async () => {
    await write(pool, 'earlier');
    const told: string[] = [];
    const follower = new JournalFollower(pool, await moment(pool), (entries) => {
      for (const { key, lag_ms } of entries) told.push(`${key} ${lag_ms}`);
    });
    const late = await pool.connect();
    await late.query('begin');
    await write(late, 'late');
    await write(pool, 'first');
    follower.ring();
    await follower.idle();
    expect(told).toEqual(['first 21']);

    await late.query('commit');
    late.release();
    await write(pool, 'second');
    for (const _ of [1, 2, 3]) follower.ring();
    await follower.idle();
    follower.ring();
    await follower.idle();
    expect(told).toEqual(['first 21', 'late 21', 'second 21']);
  });
});
