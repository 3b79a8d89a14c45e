import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { Daemon } from '../../src/daemon.ts';
import { createDirectory, type Directory } from '../setup/directory.ts';
import { createRegistry, keepLog, type Registry } from '../setup/registry.ts';
import { until } from '../setup/until.ts';

let registry: Registry;
/** Another installation with the same suffix, the same account, and nobody in it. */
let other: Directory;
let daemon: Daemon | undefined;

beforeEach(async () => {
  [registry, other] = await Promise.all([createRegistry(), createDirectory()]);
  await other.add(`dn: ou=former,${other.suffix}\nobjectClass: organizationalUnit\nou: former\n`);
  const first = await registry.start();
  await registry.query(`insert into registry.person (id, uid) values (1, 'ada'), (2, 'bob')`);
  await registry.calm();
  await first.stop();
});
afterEach(async () => {
  await daemon?.stop();
  daemon = undefined;
  await Promise.all([registry.close(), other.close()]);
});

const people = async () => [...(await other.entries('(objectClass=inetOrgPerson)', 'uid')).values()];

test('another directory behind the same name is written nothing to until it is accepted; then it gets everybody', async () => {
  const lines: string[] = [];
  const env = { ...registry.env, LDAP_URL: other.url, LDAP_BIND_DN: other.bind.dn, LDAP_PASSWORD: other.bind.password };
  daemon = await Daemon.start(loadConfig(registry.file, env), { log: keepLog(lines) });
  await registry.query(`insert into registry.person (id, uid) values (3, 'cleo')`);
  const [target] = await until(
    () => registry.query<{ state: string; reason: string }>('select state, reason from staffetta.target'),
    ([row]) => row?.state === 'quarantined',
    { what: 'that the target is quarantined' },
  );
  expect(target?.reason).toMatch(/another directory than the one that the links belong to.*staffetta accept-target/);
  expect(await people()).toEqual([]);

  await registry.query(`select * from staffetta.accept_target('directory')`);
  await until(people, (found) => found.length === 3, { what: 'that everybody has an entry there', patience: 30_000 });
});
