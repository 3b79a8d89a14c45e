/** People carried to flows: the files alone tell everything, and the LDIF makes the same directory as the daemon does. */

import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createDirectory, type Directory } from '../setup/directory.ts';
import { createRegistry, ldapEntities, type Registry } from '../setup/registry.ts';
import { until } from '../setup/until.ts';
import { createFlow, type Flow, readCsv, replay } from '../targets/file/bench.ts';

describe('flows beside a directory', () => {
  let registry: Registry;
  let flow: Flow;
  let copy: Directory;
  const applied = new Set<string>();
  const query = (sql: string, values?: readonly unknown[]) => registry.query(sql, values);
  const texts = async (folder: string, only = (_: string) => true) => {
    const names = (await readdir(join(flow.folder, folder))).filter((name) => !name.startsWith('.') && only(name));
    return Promise.all(names.toSorted().map((name) => readFile(join(flow.folder, folder, name), 'utf8')));
  };
  /** What the CSV flow tells of each person. */
  const told = async () => replay((await texts('csv')).flatMap((text) => readCsv(text)));
  /** Has the copy follow the LDIF files that are new. */
  const follow = async () => {
    const fresh = (name: string) => !applied.has(name) && applied.add(name).has(name);
    for (const text of await texts('ldif', fresh)) await copy.modify(text);
  };
  const entriesIn = async (directory: Directory) =>
    Object.fromEntries(
      [...(await directory.entries('(|(objectClass=inetOrgPerson)(objectClass=groupOfNames))'))].map(([dn, entry]) => [
        dn,
        Object.fromEntries(Object.entries(entry).map(([name, values]) => [name, values.toSorted()])),
      ]),
    );
  /** Waits until the files tell what the directory has. */
  const same = async () => {
    await registry.calm();
    const expected = await entriesIn(registry.directory);
    const there = async () => {
      await follow();
      return JSON.stringify(Object.entries(await entriesIn(copy)).toSorted());
    };
    await until(there, (now) => now === JSON.stringify(Object.entries(expected).toSorted()), {
      what: 'that they agree',
    });
    const people = Object.values(expected).filter((entry) => entry.objectClass?.includes('inetOrgPerson'));
    const uids = people.map(({ uid = [] }) => uid.join()).toSorted();
    await until(
      told,
      (now) => JSON.stringify([...now.values()].map(({ uid }) => uid).toSorted()) === JSON.stringify(uids),
    );
  };

  beforeAll(async () => {
    [registry, flow, copy] = await Promise.all([createRegistry(), createFlow(), createDirectory()]);
    await copy.add(`dn: ou=former,${copy.suffix}\nobjectClass: organizationalUnit\nou: former\n`);
    await Promise.all(['csv', 'ldif'].map((name) => mkdir(join(flow.folder, name))));
    await registry.configure([
      'targets:\n',
      `targets:
  cards:
    type: file
    format: csv
    folder: ${flow.folder}/csv
    name: "people-{sequence}.csv"
    guard: { removals: 100%, changes: 100% }
    entities:
      person:
        id: "{uid}"
        match: { number: id }
        attributes:
          number: { from: id, as: number }
          uid: "{uid}"
          mails: { from: emails, as: list }
          password: { from: password, secret: true }
        deprovision: delete
        removeAfter: 300ms
  branch:
    type: file
    format: ldif
    folder: ${flow.folder}/ldif
    name: "branch-{sequence}.ldif"
    guard: { removals: 100%, changes: 100% }
${ldapEntities}`,
    ]);
    await registry.apply();
    await registry.query('update staffetta.target set admitted = true');
    await registry.start();
  });
  afterAll(async () => {
    await registry.close();
    await Promise.all([flow.close(), copy.close()]);
  });
  beforeEach(async () => {
    await query('truncate registry.person, registry.email, registry.team, registry.member');
    await same();
  });

  test('tell who comes, changes, swaps names with another, moves and leaves', async () => {
    await query(`insert into registry.person (id, uid, given, room, password) values
      (1, 'anna', 'Anna', ' 12,a', 'hush'), (2, 'béla', 'Béla', null, null), (3, 'c,d', 'C', '3', null)`);
    await query(`insert into registry.email values (1, 'a@x'), (1, 'b@x')`);
    await query(`insert into registry.team values (7, 'red'); insert into registry.member values (7, 1), (7, 2)`);
    await same();
    expect((await told()).get('anna')).toEqual({ number: '1', uid: 'anna', mails: 'a@x|b@x', password: 'hush' });
    await query(`update registry.person set uid = case id when 1 then 'béla' else 'anna' end where id < 3`);
    await same();
    expect((await told()).get('anna')).toMatchObject({ number: '2' });
    await query(`update registry.person set area = 'former', uid = 'dora' where id = 3; delete from registry.email`);
    await query(`delete from registry.person where id = 1`);
    await same();
    expect([...(await told()).keys()].toSorted()).toEqual(['anna', 'dora']);
    const said = JSON.stringify([await query('table staffetta.journal'), await query('table staffetta.link')]);
    expect(said).not.toContain('hush');
  });

  test('are told nothing by a forced replay, where the flow has it already', async () => {
    await query(`insert into registry.person (id, uid) values (1, 'anna')`);
    await same();
    const before = await Promise.all([texts('csv'), texts('ldif')]);
    await query(`select staffetta.replay('person', '1')`);
    await registry.calm();
    expect(await Promise.all([texts('csv'), texts('ldif')])).toEqual(before);
  });

  test('can be asked what they hold, compared, and adopted again after they were forgotten', async () => {
    await query(`insert into registry.person (id, uid, password) values (1, 'anna', 'hush'), (2, 'berta', null)`);
    await same();
    const run = async (...args: readonly string[]) => {
      const { ended, printed } = registry.spawn(...args);
      expect({ code: await ended, stderr: printed.stderr }).toMatchObject({ code: 0 });
      return printed.stdout;
    };
    expect(await run('explain', 'person', '1', '--live')).not.toContain('hush');
    expect(await run('ping', 'cards')).toMatch(
      /csv changes in .*: 2 entries, 0 records wait, last file people-\d+\.csv/,
    );
    expect(await run('reconcile', 'cards')).toMatch(/^cards +person +2( +0){8}$/m);
    const before = await texts('csv');
    await query(`delete from staffetta.link where target = 'cards'`);
    await query(`select staffetta.rescan('cards')`);
    await registry.calm();
    expect(
      await query(
        `select operation, count(*)::int from staffetta.journal where target = 'cards' and operation = 'adopt' group by 1`,
      ),
    ).toEqual([{ operation: 'adopt', count: 2 }]);
    expect(await texts('csv')).toEqual(before);
  });

  test('whose folder is another than before are refused, until it is accepted', async () => {
    await query(`insert into registry.person (id, uid) values (1, 'anna')`);
    await same();
    const [away, there] = [join(flow.folder, 'away'), join(flow.folder, 'csv')];
    await rename(there, away);
    await mkdir(there);
    await query(`insert into registry.person (id, uid) values (2, 'berta')`);
    const state = async () => (await query(`select state, reason from staffetta.target where target = 'cards'`))[0];
    const stopped = await until(state, (row) => row?.state === 'quarantined');
    expect(stopped?.reason).toContain('accept-target');
    await rm(there, { recursive: true });
    await rename(away, there);
    await query(`select staffetta.resume('cards')`);
    await same();
    expect([...(await told()).keys()].toSorted()).toEqual(['anna', 'berta']);
  });
});
