import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDirectory, type Directory } from '../setup/directory.ts';
import { createRegistry, type Registry } from '../setup/registry.ts';
import { until } from '../setup/until.ts';

let registry: Registry;
let hanging: Directory;
beforeAll(async () => {
  [registry, hanging] = await Promise.all([createRegistry(), createDirectory()]);
  const { dn, password } = hanging.bind;
  await registry.configure([
    'targets:\n',
    `targets:
  hanging:
    type: ldap
    url: ${hanging.url}
    bind: { dn: "${dn}", password: "${password}" }
    slots: 2
    batch: 1
    timeout: 3s
    entities:
      person:
        dn: "uid={uid},ou=people,${hanging.suffix}"
        attributes: { objectClass: { values: [inetOrgPerson] }, uid: { from: uid }, cn: { from: uid }, sn: { from: surname } }
`,
  ]);
  await registry.apply();
  await registry.start();
});
afterAll(async () => {
  await hanging.kill('SIGCONT');
  await Promise.all([registry.close(), hanging.close()]);
});

test('a target that hangs takes its slots and no more, and delays no other', async () => {
  await registry.query(`insert into registry.person (id, uid) values (1, 'ada')`);
  await registry.calm();
  await hanging.kill('SIGSTOP');
  const busy: number[] = [];
  for (let id = 2; id <= 30; id += 1) {
    await registry.query('insert into registry.person (id, uid) values ($1, $2)', [id, `p${id}`]);
    await until(
      () => registry.person(id),
      (entry) => entry !== undefined,
      { what: `that person ${id} is in the other directory` },
    );
    const [row] = await registry.query<{ busy: number }>(
      `select count(*)::int as busy from staffetta.delivery where target = 'hanging' and token is not null`,
    );
    busy.push(row?.busy ?? 0);
  }
  expect(Math.max(...busy)).toBeGreaterThan(0);
  expect(Math.max(...busy)).toBeLessThanOrEqual(2);
  const [target] = await registry.query<{ failures: number; attempts: number }>(
    `select failures, (select coalesce(max(attempts), 0) from staffetta.delivery where target = 'hanging') as attempts
     from staffetta.target where target = 'hanging'`,
  );
  expect(target?.attempts).toBe(0); // nobody's attempts are spent for it
  await hanging.kill('SIGCONT');
  await registry.calm();
  expect((await hanging.entries('(objectClass=inetOrgPerson)', 'uid')).size).toBe(30);
});
