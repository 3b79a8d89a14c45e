/** Whoever changed something waits until it has arrived, and whoever has left is forgotten. */
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect, createRegistry, type Registry } from '../setup/registry.ts';

let registry: Registry;
let application: pg.Client;
const query = (sql: string, values?: readonly unknown[]) => registry.query(sql, values);
beforeAll(async () => {
  registry = await createRegistry();
  await registry.start();
  application = await connect(registry.url);
});
afterAll(async () => {
  await application.end();
  await registry.close();
});

const wait = (key: number, timeout = '20 s') =>
  application
    .query('select remote_id from staffetta.wait_for($1, $2, timeout => $3)', ['person', String(key), timeout])
    .then(({ rows }) => rows[0]?.remote_id);

describe('wait_for', () => {
  test('returns when what was just committed is in the directory', async () => {
    for (const uid of ['anna', 'annina', 'annetta']) {
      await application.query(
        `insert into registry.person (id, uid) values (1, $1) on conflict (id) do update set uid = excluded.uid`,
        [uid],
      );
      const dn = await wait(1);
      expect((await registry.person(1))?.dn).toEqual([dn]);
      expect(dn).toMatch(`uid=${uid},`);
    }
    await application.query('delete from registry.person where id = 1');
    expect(await wait(1)).toBeNull();
    expect(await registry.person(1)).toBeUndefined();
  });

  test('says why when the change is parked, and returns once it has been corrected', async () => {
    await application.query(`insert into registry.person (id, uid, surname) values (2, 'bruno', '')`);
    await expect(wait(2)).rejects.toThrow('person 2 does not arrive on directory: ');
    await application.query(`update registry.person set surname = 'Verdi' where id = 2`);
    expect(await wait(2)).toMatch('uid=bruno,');
  });

  test('gives up on a directory that is down without harm to the change', async () => {
    await registry.directory.stop();
    await application.query(`insert into registry.person (id, uid) values (3, 'carla')`);
    await expect(wait(3, '300 ms')).rejects.toThrow('person 3 has not arrived on directory within 0.3 s');
    await registry.directory.start();
    expect(await wait(3)).toMatch('uid=carla,');
  });

  test('refuses to be asked before the commit', async () => {
    await application.query(`begin; insert into registry.person (id, uid) values (4, 'dario')`);
    await expect(wait(4)).rejects.toThrow('commit first, then wait');
    await application.query('rollback');
  });

  test('refuses a transaction that sees the database as it was', async () => {
    await application.query('begin isolation level repeatable read');
    await expect(wait(2)).rejects.toThrow('READ COMMITTED');
    await application.query('rollback');
  });
});

test('erase forgets who has left, says who holds them, and takes them out of their groups', async () => {
  await registry.configure([
    '          userPassword: { from: password, secret: true }\n        deprovision: delete',
    '          userPassword: { from: password, secret: true }\n        deprovision: keep',
  ]);
  await registry.apply();
  await registry.start();
  await query(`insert into registry.person (id, uid) values (5, 'elena'), (6, 'fabio')`);
  await query(`insert into registry.team values (1, 'choir'); insert into registry.member values (1, 5), (1, 6)`);
  await registry.calm();
  const run = async (...args: string[]) => {
    const { ended, printed } = registry.spawn(...args);
    return { exitCode: await ended, ...printed };
  };
  expect(await run('erase', 'person', '5', '--yes')).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('person 5 is in the view that target "directory" follows, and would come back.'),
  });

  await query('delete from registry.person where id = 5');
  await registry.calm();
  const asked = await run('erase', 'person', '5');
  expect(asked.exitCode).toBe(2);
  expect(asked.stderr).toContain("Not touched, and nobody's from then on: uid=elena,ou=people,");
  const { exitCode, stdout } = await run('erase', 'person', '5', '--yes', '--json');
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject([{ target: 'directory', remote_id: expect.stringContaining('uid=elena,') }]);
  await registry.calm();
  expect(await query(`select from staffetta.journal where entity = 'person' and key = '5'`)).toEqual([]);
  expect(await query(`select from staffetta.link where entity = 'person' and key = '5'`)).toEqual([]);
  expect((await registry.person(5))?.uid).toEqual(['elena']);
  expect((await registry.team(1))?.member).toEqual((await registry.person(6))?.dn);
});
