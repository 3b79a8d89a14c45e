/** Hooks of every kind around the changes of a running daemon, one after the other on the same people. */
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Daemon } from '../../src/daemon.ts';
import { createRegistry, type Registry } from '../setup/registry.ts';
import { until } from '../setup/until.ts';

const gate = `
export async function beforeCreate({ key, attributes, baseDn, search, actor }) {
  const [room] = attributes.find(({ name }) => name === 'roomNumber')?.values ?? [];
  if (room === '13') return { code: -10113, msg: 'nobody sits in room 13', panic: true };
  if (room === 'loop') for (;;);
  const units = await search('(objectClass=organizationalUnit)', { attributes: ['ou'], scope: 'sub' });
  const names = units.map(({ attributes }) => attributes.ou[0]).sort().join(' and ');
  const password = attributes.find(({ name }) => name === 'userPassword');
  return { code: 0, msg: baseDn + ' has ' + names + (password ? ', a password of ' + password.values.length + ' values' : '') };
}
export const afterCreate = ({ key, outcome }) => ({ code: outcome.code, msg: outcome.remoteId, panic: key === '5' });
`;

const count = `#!/bin/sh
cat >> calls.jsonl
echo '{"code": 0, "msg": "counted"}'
`;

const stari = `package Stari;
sub beforeDeleteUser{
my($status_hash, $ldap, $base_dn, $entry_in, $user, $pwd) = @_;
    my ($dn) = $entry_in =~ /dn="([^"]+)"/;
    my $found = $ldap->search(base => $dn, scope => 'base', filter => '(objectClass=*)', attrs => ['cn']);
    return 0, $user . ' removes ' . $found->entry(0)->get_value('cn'), 0;
}
sub afterDeleteUser{
    my($status_hash, $entry_in, $out_xml, $user, $pwd) = @_;
    my($code, $msg) = Plugins::parse_ldap_xml($out_xml);
    my $before = $status_hash->{'Stari'}->{'before'}->{'msg'};
    return $code, "$msg $before", 0;
}
1;
`;

describe('a daemon with hooks', () => {
  let registry: Registry;
  let daemon: Daemon;
  const query = (sql: string, values?: readonly unknown[]) => registry.query(sql, values);
  const said = async (key: string) =>
    (
      await query(
        `select concat_ws(' ', target, result, module, hook, code, message) as line from staffetta.journal
         where key = $1 and hook is not null order by at, ctid`,
        [key],
      )
    ).map(({ line }) => line);

  async function write(name: string, text: string) {
    const file = join(dirname(registry.file), name);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
    await chmod(file, 0o755);
  }

  beforeAll(async () => {
    registry = await createRegistry();
    await write('hooks/gate.ts', gate);
    await write('hooks/count.sh', count);
    await write('Plugins/plugins.conf', 'Stari\n');
    await write('Plugins/Stari.pm', stari);
    await query(`create table registry.told (key text, state text, stable_id text, error text);
      create function registry.note(entity text, key text, target text, state text, data jsonb) returns void language sql as $$
        insert into registry.told values (key, state, data ->> 'stable_id', data #>> '{error,message}') $$`);
    await registry.configure(
      ['        deprovision: delete\n', '        writeBack: registry.note\n        deprovision: delete\n'],
      [
        'targets:\n  directory:\n',
        `hooks:
  - { name: gate, module: hooks/gate.ts, timeout: 2s }
  - { perl: Plugins/plugins.conf }
targets:
  directory:
    hooks:
      - { name: count, script: hooks/count.sh, functions: [afterUpdate] }
`,
      ],
    );
    await registry.apply();
    daemon = await registry.start();
  });
  afterAll(() => registry.close());

  test('calls an ES module around a creation, which sees no password and may search', async () => {
    await query(`insert into registry.person (id, uid, given, password) values (1, 'ada', 'Ada', 'hunter2')`);
    await registry.calm();
    const dn = `uid=ada,ou=people,${registry.directory.suffix}`;
    expect(await said('1')).toEqual([
      `directory passed gate beforeCreate 0 ${registry.directory.suffix} has former and groups and people, a password of 0 values`,
      `directory passed gate afterCreate 0 ${dn}`,
    ]);
    expect(await registry.differences()).toEqual([]);
  });

  test('parks who is refused, with the name of the module; another row lets them in', async () => {
    await query(`insert into registry.person (id, uid, room) values (2, 'eve', '13')`);
    const failures = await until(
      () => query(`select failure, key, kind, message from staffetta.failures`),
      (rows) => rows.some(({ failure }) => failure === 'parked'),
    );
    const message = 'hook gate, beforeCreate: nobody sits in room 13';
    expect(failures).toEqual([{ failure: 'parked', key: '2', kind: 'rejected', message }]);
    expect(await registry.person(2)).toBeUndefined();
    await query(`update registry.person set room = '14' where id = 2`);
    await registry.calm();
    expect(await registry.differences()).toEqual([]);
  });

  test('goes on with one that hangs, and keeps beating', async () => {
    await query(`insert into registry.person (id, uid, room) values (3, 'bob', 'loop')`);
    await registry.calm();
    expect((await said('3'))[0]).toBe('directory failed gate beforeCreate -10000 did not answer within 2000 ms');
    expect(await registry.differences()).toEqual([]);
  });

  test('calls a program of one target, and Perl for a removal', async () => {
    await query(`update registry.person set uid = 'lovelace', given = 'Augusta', room = '1' where id = 1`);
    await registry.calm();
    expect(await said('1')).toEqual(
      expect.arrayContaining([
        'directory passed count afterUpdate add 0 counted',
        'directory passed count afterUpdate modify 0 counted',
      ]),
    );
    await query('delete from registry.person where id = 1');
    await registry.calm();
    expect((await said('1')).slice(-2)).toEqual([
      'directory passed Stari beforeRemove 0 admin removes Augusta Rossi',
      'directory passed Stari afterRemove 0 Success! admin removes Augusta Rossi',
    ]);
    expect(await registry.differences()).toEqual([]);
  });

  test('has what each said in the journal, for people and in the form of AOSI', async () => {
    const table = registry.spawn('journal', 'person', '2');
    await table.ended;
    expect(table.printed.stdout).toMatch(/gate beforeCreate \(-10113\) .*nobody sits in room 13/);
    const xml = registry.spawn('journal', 'person', '2', '--format', 'aosi-xml');
    expect(await xml.ended).toBe(0);
    const dn = `uid=eve,ou=people,${registry.directory.suffix}`;
    const [refused = '', created = ''] = xml.printed.stdout.split(/(?<=<\/entry>)\n/);
    expect(refused).toBe(
      [
        `<entry dn="${dn}">`,
        '    <before_plugin_status name="gate" code="-10113">nobody sits in room 13</before_plugin_status>',
        '    <status code="-1">hook gate, beforeCreate: nobody sits in room 13</status>',
        '</entry>',
      ].join('\n'),
    );
    expect(created).toMatch(/<status code="0">Success!<\/status>\n {4}<after_plugin_status name="gate" code="0">/);
  });

  test('parks a change that was made where a module stops it afterwards; the write-back learns of the entry', async () => {
    await query(`insert into registry.person (id, uid) values (5, 'max')`);
    await until(
      () => query(`select from staffetta.delivery where state = 'parked' and key = '5'`),
      ({ length }) => length === 1,
    );
    const uuid = (await registry.person(5))?.entryUUID?.[0];
    expect(uuid).toBeDefined();
    expect(await query(`select state, stable_id, error from registry.told where key = '5'`)).toEqual([
      { state: 'done', stable_id: uuid, error: expect.stringMatching(/^hook gate, afterCreate: uid=max,/) },
    ]);
    await query(`select staffetta.retry()`);
    await registry.calm();
  });

  test('ends what it started: it stops, and run --once comes to its end', async () => {
    await daemon.stop();
    await query(`insert into registry.person (id, uid, given) values (4, 'dan', 'Dan')`);
    await query('delete from registry.person where id = 3');
    const once = registry.spawn('run', '--once');
    expect(await once.ended, once.printed.stderr).toBe(0);
    expect(await said('4')).toEqual([
      expect.stringMatching(/^directory passed gate beforeCreate 0 /),
      expect.stringMatching(/^directory passed gate afterCreate 0 /),
    ]);
    expect(await registry.differences()).toEqual([]);
  });

  test('is told by apply what is missing', async () => {
    await registry.configure([
      'targets:\n  directory:\n',
      'targets:\n  directory:\n    hooks: [{ name: x, script: nowhere.sh }]\n',
    ]);
    const applied = registry.spawn('apply');
    await applied.ended;
    expect(applied.printed.stdout + applied.printed.stderr).toContain(
      'target directory: hook x: there is no file nowhere.sh',
    );
  });
});
