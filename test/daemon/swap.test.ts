import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connect, createRegistry, type Registry } from '../setup/registry.ts';

describe('people who take each other’s login', () => {
  let registry: Registry;
  const query = (sql: string, values?: readonly unknown[]) => registry.query(sql, values);
  const arrived = async () => {
    await registry.calm();
    expect(await registry.differences()).toEqual([]);
  };
  /** The entry of each person: the same before and after. */
  const uuids = async () =>
    Object.fromEntries(
      await Promise.all([1, 2, 3, 4].map(async (id) => [id, (await registry.person(id))?.entryUUID?.[0]] as const)),
    );

  beforeAll(async () => {
    registry = await createRegistry();
    await registry.start();
  });
  afterAll(() => registry.close());
  beforeEach(async () => {
    await query('truncate registry.person, registry.email, registry.team, registry.member');
    await query(`insert into registry.person (id, uid) values (1, 'anna'), (2, 'bruno'), (3, 'carla'), (4, 'dario')`);
    await query(`insert into registry.team values (1, 'choir')`);
    await query('insert into registry.member values (1, 1), (1, 3)');
    await arrived();
  });

  test('in one transaction', async () => {
    const before = await uuids();
    await query(`update registry.person set uid = case id when 1 then 'bruno' else 'anna' end where id in (1, 2)`);
    await arrived();
    expect(await uuids()).toEqual(before);
  });

  test('in two transactions, the second much later', async () => {
    const before = await uuids();
    await query(`update registry.person set uid = 'bruno' where id = 1`);
    await registry.query(`select staffetta.replay('person', '1')`);
    await query(`update registry.person set uid = 'anna' where id = 2`);
    await arrived();
    expect(await uuids()).toEqual(before);
  });

  test('in two transactions at the same time', async () => {
    const clients = await Promise.all([connect(registry.url), connect(registry.url)]);
    for (let round = 0; round < 5; round++) {
      const names = round % 2 === 0 ? ['bruno', 'anna'] : ['anna', 'bruno'];
      await Promise.all(
        clients.map((client, index) =>
          client.query('update registry.person set uid = $1 where id = $2', [names[index], index + 1]),
        ),
      );
    }
    await arrived();
    await Promise.all(clients.map((client) => client.end()));
  });

  test('in a circle of three, and of four', async () => {
    const before = await uuids();
    await query(`update registry.person set uid = (array['bruno', 'carla', 'anna'])[id] where id <= 3`);
    await arrived();
    await query(`update registry.person p set uid = q.uid from registry.person q where q.id = p.id % 4 + 1`);
    await arrived();
    expect(await uuids()).toEqual(before);
  });

  test('along a chain', async () => {
    const before = await uuids();
    await query(
      `update registry.person p set uid = coalesce((select q.uid from registry.person q where q.id = p.id + 1), 'emil')`,
    );
    await arrived();
    expect(await uuids()).toEqual(before);
  });

  test('together with their keys', async () => {
    await query(`update registry.person set id = id + 10 where id in (1, 2)`);
    await query(`update registry.person set uid = case id when 11 then 'bruno' else 'anna' end where id in (11, 12)`);
    await arrived();
  });

  test('and one of them leaves', async () => {
    await query(
      `begin; update registry.person set uid = 'anna' where id = 2; delete from registry.person where id = 1; commit`,
    );
    await arrived();
  });

  test('fifty pairs at once', async () => {
    await query(`insert into registry.person (id, uid) select n, 'p' || n from generate_series(1001, 1100) n`);
    await arrived();
    await query(
      `update registry.person set uid = 'p' || case when id % 2 = 0 then id - 1 else id + 1 end where id > 1000`,
    );
    await arrived();
  });
});
