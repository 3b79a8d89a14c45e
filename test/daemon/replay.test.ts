import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createRegistry, type Registry } from '../setup/registry.ts';

describe('a forced replay', () => {
  let registry: Registry;
  const query = (sql: string, values?: readonly unknown[]) => registry.query(sql, values);
  const arrived = async () => {
    await registry.calm();
    expect(await registry.differences()).toEqual([]);
  };
  const run = async (...args: string[]) => {
    const { ended, printed } = registry.spawn(...args);
    return { exitCode: await ended, ...printed };
  };
  const spoil = async () => {
    const dn = (await registry.person(1))?.dn?.[0];
    await registry.directory.modify(
      `dn: ${dn}\nchangetype: modify\nreplace: sn\nsn: Mallory\n-\nreplace: roomNumber\nroomNumber: 13\n-\nreplace: description\ndescription: by hand\n`,
    );
  };

  beforeAll(async () => {
    registry = await createRegistry();
    await registry.start();
  });
  afterAll(() => registry.close());
  beforeEach(async () => {
    await query('truncate registry.person, registry.email, registry.team, registry.member');
    await query(`insert into registry.person (id, uid, surname) values (1, 'anna', 'Bianchi'), (2, 'bruno', 'Verdi')`);
    await query(`insert into registry.team values (1, 'choir')`);
    await query('insert into registry.member values (1, 1)');
    await arrived();
  });

  test('from SQL mends an entry that somebody changed, and leaves alone what is not ours', async () => {
    await spoil();
    expect(await registry.differences()).not.toEqual([]);
    const rows = await query(`select * from staffetta.replay('person', '1', reason => 'changed by hand')`);
    expect(rows).toEqual([
      { target: 'directory', entity: 'person', key: '1', note: 'queued: the live entry will be compared and mended' },
    ]);
    await arrived();
    expect((await registry.person(1))?.description).toEqual(['by hand']);
    const [row] = await query(`select cause, changed from staffetta.journal where key = '1' order by at desc limit 1`);
    expect(row).toEqual({ cause: 'replay: changed by hand', changed: ['roomNumber', 'sn'] });
  });

  test('from SQL creates an entry again that somebody removed, and puts it back into its groups', async () => {
    const dn = (await registry.person(1))?.dn?.[0];
    await registry.directory.modify(`dn: ${dn}\nchangetype: delete\n`);
    await query(`select staffetta.replay('person', '1'), staffetta.replay('team', '1')`);
    await arrived();
  });

  test('from SQL finds an entry that somebody renamed', async () => {
    const before = await registry.person(1);
    await registry.directory.modify(
      `dn: ${before?.dn?.[0]}\nchangetype: modrdn\nnewrdn: uid=elsewhere\ndeleteoldrdn: 1\n`,
    );
    await query(`select staffetta.replay('person', '1')`);
    await arrived();
    expect((await registry.person(1))?.entryUUID).toEqual(before?.entryUUID);
  });

  test('from the command line waits and says that it is done', async () => {
    await spoil();
    const { exitCode, stdout } = await run('replay', 'person', '1', '--wait', '--reason', 'from a test');
    expect(exitCode).toBe(0);
    expect(stdout).toContain('directory');
    expect(await registry.differences()).toEqual([]);
  });

  test('of everything mends everything and writes only that', async () => {
    await spoil();
    await registry.directory.modify(
      `dn: cn=choir,ou=groups,dc=example,dc=org\nchangetype: modify\nreplace: member\nmember: cn=intruder\n`,
    );
    const before = (await registry.person(2))?.entryCSN;
    await query(`select staffetta.replay_all('person'), staffetta.replay_all('team')`);
    await arrived();
    expect((await registry.person(2))?.entryCSN).toEqual(before);
  });

  test('of a key that is nowhere says so and does nothing', async () => {
    const [row] = await query(`select note from staffetta.replay('person', '4711')`);
    expect(row?.note).toContain('neither in the view nor on the target');
    await arrived();
  });

  test('of what is no key, of an unknown entity or target is a mistake', async () => {
    for (const args of [
      ['person', 'fortytwo'],
      ['persn', '1'],
      ['person', '1', '--target', 'directroy'],
    ]) {
      const { exitCode, stderr } = await run('replay', ...args);
      expect(exitCode, args.join(' ')).toBe(2);
      expect(stderr).not.toMatch(/\n\s+at /);
    }
  });

  test('waits for a parked key no longer than it must, and fails', async () => {
    await query(`insert into registry.person (id, uid) values (3, null)`);
    const { exitCode, stdout, stderr } = await run('replay', 'person', '3', '--wait');
    expect(exitCode).toBe(1);
    expect(stdout + stderr).toContain('NULL or empty');
  });
});
