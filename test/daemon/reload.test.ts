import { readFile, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createRegistry, type Process, type Registry } from '../setup/registry.ts';
import { until } from '../setup/until.ts';

describe('SIGHUP', { timeout: 60_000 }, () => {
  let registry: Registry;
  let daemon: Process;
  const query = (sql: string, values?: readonly unknown[]) => registry.query(sql, values);
  const arrived = async () => {
    await registry.calm();
    expect(await registry.differences()).toEqual([]);
  };
  const logged = (text: string, times = 1) =>
    until(
      () => daemon.printed.stderr,
      (printed) => printed.split(text).length > times,
      { what: `that the daemon says "${text}"` },
    );
  const instances = () => query('select instance, pid from staffetta.instance');

  beforeEach(async () => {
    registry = await createRegistry();
    daemon = await registry.spawnDaemon();
    await query(`insert into registry.person (id, uid, room) select n, 'p' || n, '1' from generate_series(1, 200) n`);
    await arrived();
  });
  afterEach(() => registry.close());

  test('has the same process go on with the new configuration, and drops nothing of what is under way', async () => {
    const [before] = await instances();
    await registry.directory.kill('SIGSTOP');
    await query(`update registry.person set room = '2'`);
    await until(
      () => query('select count(*)::int as claimed from staffetta.delivery where token is not null'),
      ([row]) => row?.claimed > 0,
    );
    await registry.configure(['timeout: 3s', 'timeout: 4s\n    slots: 3']);
    await registry.apply();
    daemon.child.kill('SIGHUP');
    await until(instances, (rows) => rows.length === 2); // the new one is there before the old one has finished
    await registry.directory.kill('SIGCONT');
    await logged('the configuration was read again');
    const [after, ...more] = await until(instances, (rows) => rows.length === 1);
    expect(more).toEqual([]);
    expect(after?.pid).toBe(before?.pid);
    expect(after?.instance).not.toBe(before?.instance);
    await arrived();
    await query(`update registry.person set room = '3'`);
    await arrived();
    expect(daemon.printed.stderr).not.toContain('took over');
    daemon.child.kill('SIGTERM');
    expect(await daemon.ended).toBe(0);
  });

  test('with a mistake in the file says so once, and changes nothing', async () => {
    const before = await instances();
    const right = await readFile(registry.file, 'utf8');
    await writeFile(registry.file, right.replace('view: registry.v_person', 'veiw: registry.v_person'));
    daemon.child.kill('SIGHUP');
    await logged('not reloaded');
    expect(daemon.printed.stderr).toMatch(/staffetta\.yml:\d+:\d+.*veiw/);
    expect(daemon.printed.stderr).not.toMatch(/\n\s+at /);
    expect(await instances()).toEqual(before);
    await query(`update registry.person set room = '4'`);
    await arrived();
    await writeFile(registry.file, right);
    daemon.child.kill('SIGHUP');
    await logged('the configuration was read again');
    await query(`update registry.person set room = '5'`);
    await arrived();
  });

  test('with a database that cannot be reached changes nothing either', async () => {
    const before = await instances();
    await registry.configure([`"\${DATABASE_URL}"`, 'postgresql://nobody:secret@127.0.0.1:1/nowhere']);
    daemon.child.kill('SIGHUP');
    await logged('not reloaded');
    expect(daemon.printed.stderr).not.toContain('secret');
    expect(await instances()).toEqual(before);
    await query(`update registry.person set room = '6'`);
    await arrived();
  });

  test('takes a new password from its file', async () => {
    const file = `${registry.file}.password`;
    await writeFile(file, 'wrong');
    await registry.configure([`password: "\${LDAP_PASSWORD}"`, `password: { file: "${file}" }`]);
    daemon.child.kill('SIGHUP');
    await logged('the configuration was read again');
    await query(`update registry.person set room = '7'`);
    await until(
      () => query('select state from staffetta.target'),
      ([target]) => target?.state === 'quarantined',
    );
    await writeFile(file, registry.directory.bind.password);
    daemon.child.kill('SIGHUP');
    await logged('the configuration was read again', 2);
    await query('select staffetta.retry()');
    await arrived();
  });

  test('before the new configuration is applied makes it wait for that, and then take in what is new', async () => {
    const [person = ''] = /^ {6}person:\n(?: {8}.*\n| {10}.*\n)*/m.exec(await readFile(registry.file, 'utf8')) ?? [];
    const follower = `  follower:\n    type: ldap\n    url: \${LDAP_URL}\n    bind: { dn: "\${LDAP_BIND_DN}", password: "\${LDAP_PASSWORD}" }\n    entities:\n${person.replaceAll('ou={area}', 'ou=former')}`;
    await writeFile(registry.file, (await readFile(registry.file, 'utf8')) + follower);
    daemon.child.kill('SIGHUP');
    await logged('another configuration was applied');
    await logged('the configuration was read again');
    expect(await query('select state from staffetta.daemon')).toEqual([{ state: 'refused' }]);
    await registry.apply();
    await logged('what was applied was read again');
    await until(
      async () => [...(await registry.directory.entries('(objectClass=inetOrgPerson)', 'uid')).keys()],
      (names) => names.filter((name) => name.includes(',ou=former,')).length === 200,
    );
    await registry.calm();
  });
});
