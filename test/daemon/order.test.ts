import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { explainCommand } from '../../src/commands/explain.ts';
import { runHere } from '../commands/run-here.ts';
import { createRegistry, type Registry } from '../setup/registry.ts';
import { until } from '../setup/until.ts';

/** Accounts below `ou=accounts` come after the entries of the directory, for as long as their contracts last. */
let registry: Registry;
beforeAll(async () => {
  registry = await createRegistry();
  const { suffix } = registry.directory;
  await registry.directory.add(`dn: ou=accounts,${suffix}\nobjectClass: organizationalUnit\nou: accounts\n`);
  await registry.query(`
    create table registry.contract (person_id bigint primary key, until timestamptz not null);
    create view registry.v_account as select p.id, p.uid from registry.person p
      where not exists (select from registry.contract c where c.person_id = p.id and c.until <= now())`);
  await registry.configure([
    'targets:\n',
    `targets:
  accounts:
    type: ldap
    url: \${LDAP_URL}
    bind: { dn: "\${LDAP_BIND_DN}", password: "\${LDAP_PASSWORD}" }
    guard: { removals: 100%, changes: 100% }
    after: [directory]
    entities:
      person:
        view: registry.v_account
        dn: "uid={uid},ou=accounts,\${LDAP_SUFFIX}"
        attributes: { objectClass: { values: [account] }, uid: { from: uid } }
        deprovision: delete
        removeAfter: 0s
        revisit: select person_id as key, until as at from registry.contract
`,
  ]);
  await registry.apply();
  await registry.query('update staffetta.target set admitted = true');
  await registry.start();
});
afterAll(() => registry.close());

const accounts = async () => [...(await registry.directory.entries('(objectClass=account)')).keys()].length;
const history = async (operation: string) =>
  (
    await registry.query<{ target: string }>(
      `select target from staffetta.journal where operation = $1 and result = 'done' and (key = '1' or key is null) order by at`,
      [operation],
    )
  ).map(({ target }) => target);

describe('targets in order', () => {
  test('an account is made after the entry, and goes before it', async () => {
    await registry.query(`select staffetta.pause('directory', 'the move')`);
    await registry.query(`insert into registry.person (id, uid) values (1, 'ada')`);
    await until(
      () => registry.query(`select state, error from staffetta.delivery where target = 'accounts'`),
      ([row]) => row?.state === 'waiting',
      { what: 'that the account waits for the entry' },
    );
    expect(await accounts()).toBe(0);
    const { stdout } = await runHere(explainCommand(), ['person', '1', '--config', registry.file], registry.env);
    const [onAccounts = ''] = stdout.split('\n\n');
    expect(onAccounts).toMatch(/delivery +waiting: .*target directory/);
    expect(onAccounts).toContain('It goes on by itself as soon as what it waits for is there');
    await registry.query(`select staffetta.resume('directory')`);
    await registry.calm();
    expect([await accounts(), await history('create')]).toEqual([1, ['directory', 'accounts']]);
    await registry.query('delete from registry.person');
    await registry.calm();
    expect([await accounts(), await history('remove')]).toEqual([0, ['accounts', 'directory']]);
  });

  test('an account goes when its contract ends, though no row changes then', async () => {
    await registry.query(`insert into registry.person (id, uid) values (2, 'bob')`);
    await registry.query(`insert into registry.contract values (2, now() + interval '1 day')`);
    await registry.calm();
    expect(await accounts()).toBe(1);
    await registry.query(`update registry.contract set until = now()`); // no source: nobody is told
    await registry.query(`select staffetta.sweep()`);
    await until(accounts, (count) => count === 0, { what: 'that the account is gone' });
    await registry.calm();
    expect(await registry.person(2)).toBeDefined();
  });
});
