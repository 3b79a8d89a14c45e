import type { Command } from 'commander';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { adoptCommand } from '../../src/commands/adopt.ts';
import { approveCommand } from '../../src/commands/approve.ts';
import { discardCommand } from '../../src/commands/discard.ts';
import { explainCommand } from '../../src/commands/explain.ts';
import { heldCommand } from '../../src/commands/held.ts';
import { runHere } from '../commands/run-here.ts';
import { createRegistry, type Registry } from '../setup/registry.ts';
import { until } from '../setup/until.ts';

let registry: Registry;
beforeAll(async () => {
  registry = await createRegistry();
});
afterAll(() => registry.close());

const mode = async (mode: 'observe' | 'manual' | 'live') => {
  await registry.configure(['    type: ldap\n', `    type: ldap\n    mode: ${mode}\n`]);
  await registry.apply();
};
const entries = async () =>
  [...(await registry.directory.entries('(objectClass=inetOrgPerson)', 'uid')).values()]
    .map(({ uid }) => uid?.[0])
    .sort();

const held = (count: number) =>
  until(
    () =>
      registry.query<{ key: string; by: string; planned: string }>(
        'select key, by, planned from staffetta.held order by key',
      ),
    (rows) => rows.length === count,
    { what: `that ${count} wait for a word` },
  );
async function staffetta(command: Command, ...args: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await runHere(command, ['--config', registry.file, ...args], registry.env);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  return stdout;
}

test('a running daemon follows the mode of its target: from looking on, over asking for each, to going by itself', async () => {
  await mode('observe');
  await registry.start();
  await registry.query(`insert into registry.person (id, uid) values (1, 'ada'), (2, 'bob')`);
  await registry.calm();
  expect(
    await registry.query(
      `select distinct key, operation, result, 'sn' = any (changed) as named from staffetta.journal where entity = 'person' order by key`,
    ),
  ).toEqual([
    { key: '1', operation: 'create', result: 'would', named: true },
    { key: '2', operation: 'create', result: 'would', named: true },
  ]);
  expect(await entries()).toEqual([]);

  await mode('manual');
  expect(await held(2)).toMatchObject([
    { key: '1', by: 'manual' },
    { key: '2', by: 'manual' },
  ]);
  expect(JSON.parse(await staffetta(heldCommand(), 'directory', '--json'))).toMatchObject([
    { entity: 'person', key: '1', by: 'manual', planned: expect.stringMatching(/^create uid=ada,/) },
    { key: '2' },
  ]);
  expect(await staffetta(explainCommand(), 'person', '1')).toContain('"staffetta approve directory person 1"');
  await staffetta(approveCommand(), 'directory', 'person', '1', '--reason', 'she begins today');
  await until(entries, (found) => found.length > 0, { what: 'that the approved one arrives' });
  expect(await entries()).toEqual(['ada']);
  expect(await held(1)).toMatchObject([{ key: '2' }]);

  await registry.query(`insert into registry.person (id, uid) values (3, 'cleo'), (4, 'dan')`);
  await registry.query(`update registry.person set surname = 'Byron' where id = 1`);
  expect((await held(4)).map(({ key, planned }) => `${key} ${planned.split(' ')[0]}`)).toEqual([
    '1 update',
    '2 create',
    '3 create',
    '4 create',
  ]);
  await staffetta(discardCommand(), 'directory', 'person', '4', '--reason', 'not yet');
  await staffetta(approveCommand(), 'directory');
  await until(entries, (found) => found.length === 3, { what: 'that all others follow' });
  await registry.calm();
  expect(await entries()).toEqual(['ada', 'bob', 'cleo']);
  expect((await registry.person(1))?.sn).toEqual(['Byron']);
  expect(
    await registry.query(
      `select distinct on (key) key, result, cause, message from staffetta.journal where key in ('1', '4') order by key, at desc`,
    ),
  ).toMatchObject([
    { key: '1', result: 'done', cause: 'approved' },
    { key: '4', result: 'discarded', message: expect.stringMatching(/^not yet \(create uid=dan/) },
  ]);

  await registry.query(`update registry.person set surname = 'Bernoulli' where id = 4`);
  await held(1);
  await mode('live');
  await until(entries, (found) => found.length === 4, { what: 'that the last one follows' });
  await registry.calm();
  expect(await registry.differences()).toEqual([]);
});

test('a new target whose server holds entries already is not written to before somebody has said whose they are', async () => {
  const { directory } = registry;
  await registry.query('update staffetta.target set admitted = false');
  await directory.add(
    `dn: uid=old,ou=people,${directory.suffix}\nobjectClass: inetOrgPerson\nuid: old\ncn: Old\nsn: Old\n`,
  );
  await registry.query(`update registry.person set surname = 'New' where id = 1`);
  const [row] = await until(
    () => registry.query<{ state: string; reason: string }>('select state, reason from staffetta.target'),
    ([target]) => target?.state === 'quarantined',
    { what: 'that it is stopped' },
  );
  expect(row?.reason).toMatch(/holds entries of person already.*staffetta adopt directory/);
  expect((await registry.person(1))?.sn).toEqual(['Byron']);
  expect(await staffetta(adoptCommand(), 'directory')).toMatch(/directory +person +5 +4 +0 +0 +1 +0/);
  await staffetta(adoptCommand(), 'directory', '--yes');
  await registry.calm();
  expect((await registry.person(1))?.sn).toEqual(['New']);
});
