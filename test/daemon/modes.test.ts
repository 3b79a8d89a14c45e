import { afterAll, beforeAll, expect, test } from 'vitest';
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

test('a running daemon follows the mode of its target: from looking on, over asking for each, to going by itself', async () => {
  await mode('observe');
  await registry.start();
  await registry.query(`insert into registry.person (id, uid) values (1, 'ada'), (2, 'bob')`);
  await until(
    () => registry.query(`select key, operation, result from staffetta.journal where entity = 'person' order by key`),
    (rows) => rows.length >= 2,
    { what: 'that it says what it would do' },
  );
  await registry.calm();
  expect(await entries()).toEqual([]);

  await mode('manual');
  await until(
    () => registry.query<{ key: string; by: string }>('select key, by from staffetta.held order by key'),
    (rows) => rows.length === 2,
    { what: 'that both wait for a word' },
  );
  await registry.query(`select * from staffetta.approve('directory', 'person', '{1}')`);
  await until(entries, (found) => found.length > 0, { what: 'that the approved one arrives' });
  expect(await entries()).toEqual(['ada']);

  await mode('live');
  await until(entries, (found) => found.length === 2, { what: 'that the other one follows' });
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
  expect((await registry.person(1))?.sn).toEqual(['Rossi']);
});
