import type pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connect, type Process, type Registry } from '../setup/registry.ts';
import { createOwnServer, type OwnServer } from './own-server.ts';

const people = 500;

/** On a server of its own, since what an old transaction holds back it holds back for everybody. */
describe('a daemon goes on and misses nothing', () => {
  let own: OwnServer;
  let registry: Registry;
  let daemon: Process;
  const clients: pg.Client[] = [];
  const application = async () => {
    const client = await connect(registry.url);
    clients.push(client);
    return client;
  };
  const arrived = async () => {
    await registry.calm();
    expect(await registry.differences()).toEqual([]);
  };

  beforeAll(async () => {
    own = await createOwnServer({ settings: { max_prepared_transactions: '10' } });
    registry = own.registry;
    await registry.query(`insert into registry.person (id, uid) select n, 'p' || n from generate_series(1, $1) n`, [
      people,
    ]);
  });
  afterAll(() => own.close());
  beforeEach(async () => {
    daemon = await registry.spawnDaemon();
    await registry.calm();
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) await client.end();
    daemon.child.kill('SIGTERM');
    expect(await daemon.ended).toBe(0);
  });

  test('while an old transaction holds every snapshot back, 5,000 changes long', { timeout: 120_000 }, async () => {
    const old = await application();
    await old.query(`begin isolation level repeatable read; update registry.person set room = 'old' where id = 1`);
    for (let round = 1; round <= 10; round++) {
      await registry.query('update registry.person set given = $1 where id > 1', [`round ${round}`]);
      await registry.calm();
    }
    expect(await registry.differences()).toEqual([]);
    expect((await registry.person(1))?.roomNumber).toBeUndefined();
    await old.query('commit');
    await arrived();
    expect((await registry.person(1))?.roomNumber).toEqual(['old']);
  });

  test('where a transaction is prepared and committed much later; that is possible, since nobody rings there', async () => {
    expect(await registry.query('select distinct notify from staffetta.source')).toEqual([{ notify: false }]);
    const writer = await application();
    for (const [name, id] of [
      ['committed', 2],
      ['rolled back', 3],
    ])
      await writer.query(
        `begin; update registry.person set room = '${name}' where id = ${id}; prepare transaction '${name}'`,
      );
    for (let round = 1; round <= 2; round++) {
      await writer.query(`update registry.person set given = 'prepared ${round}' where id > 3`);
      await arrived();
    }
    await writer.query(`commit prepared 'committed'`);
    await writer.query(`rollback prepared 'rolled back'`);
    await arrived();
    expect([(await registry.person(2))?.roomNumber, (await registry.person(3))?.roomNumber]).toEqual([
      ['committed'],
      undefined,
    ]);
  });

  test('under SERIALIZABLE writers, whom it never makes fail: those of different rows do not conflict', async () => {
    const [one, other] = [await application(), await application()];
    for (const client of [one, other])
      await client.query(
        `set default_transaction_isolation = serializable; set enable_seqscan = off; set enable_bitmapscan = off`,
      );
    for (let pair = 1; pair <= 150; pair++) {
      // Each has written before either commits, so that one would fail if the two had read what the other writes.
      for (const client of [one, other]) await client.query('begin');
      await one.query('update registry.person set given = $1 where id = $2', [`pair ${pair}`, 4 + pair]);
      await other.query('insert into registry.person (id, uid) values ($1, $2)', [1000 + pair, `q${pair}`]);
      await one.query('insert into registry.email values ($1, $2)', [4 + pair, `p${pair}@example.org`]);
      await other.query('delete from registry.person where id = $1', [people - pair]);
      await one.query('commit');
      await other.query('commit');
    }
    await arrived();
  });

  test('under SERIALIZABLE writers of the same rows, who fail by each other and try again', async () => {
    let failures = 0;
    const rounds = 60;
    await Promise.all(
      [1, 2, 3].map(async (number) => {
        const client = await application();
        for (let round = 1; round <= rounds; ) {
          try {
            await client.query('begin isolation level serializable');
            await client.query(`select count(*) from registry.person where given = 'hot'`);
            await client.query(`update registry.person set given = 'hot', room = $1 where id = $2`, [
              `${number} ${round}`,
              10 + (round % 3),
            ]);
            await client.query('commit');
            round++;
          } catch (error) {
            expect(error).toMatchObject({ code: '40001' });
            await client.query('rollback');
            failures++;
          }
        }
      }),
    );
    expect(failures).toBeGreaterThan(0);
    await arrived();
  });
});
