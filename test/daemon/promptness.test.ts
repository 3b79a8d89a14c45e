import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createRegistry, type Registry } from '../setup/registry.ts';

// A poll would hide what is not noticed at once; here it comes once a minute.
describe('without waiting for a poll', () => {
  let registry: Registry;
  const query = (sql: string) => registry.query(sql);
  const arrived = async () => {
    await registry.calm(15_000);
    expect(await registry.differences()).toEqual([]);
  };

  beforeAll(async () => {
    registry = await createRegistry();
    await query(`update staffetta.parameter set number = 60 where code = 'POLL_SECONDS'`);
    await query(`insert into registry.person (id, uid) values (1, 'anna'), (2, 'bruno')`);
    await query(`insert into registry.team values (1, 'choir')`);
    await query('insert into registry.member values (1, 1), (1, 2)');
    await registry.start();
    await arrived();
  });
  afterAll(() => registry.close());

  test('a change is carried', async () => {
    await query(`update registry.person set surname = 'Verdi' where id = 1`);
    await arrived();
  });

  test('a forced replay is done', async () => {
    const dn = (await registry.person(1))?.dn?.[0];
    await registry.directory.modify(`dn: ${dn}\nchangetype: modify\nreplace: sn\nsn: Mallory\n`);
    await query(`select staffetta.replay('person', '1')`);
    await arrived();
  });

  test('what a rescan finds is carried', async () => {
    await query('alter table registry.person disable trigger user');
    await query(`update registry.person set surname = 'Neri' where id = 1`);
    await query('alter table registry.person enable trigger user');
    await query('select staffetta.rescan()');
    await arrived();
  });

  test('what was changed during a pause is carried when that is over', async () => {
    await query(`select staffetta.pause('directory', 'maintenance')`);
    await query(`update registry.person set surname = 'Gialli' where id = 2`);
    await query(`select staffetta.resume('directory')`);
    await arrived();
  });

  test('a removal is made when its time has come, and groups follow', async () => {
    await query('delete from registry.person where id = 2');
    await arrived();
  });
});
