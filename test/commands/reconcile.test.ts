import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bringUpToDate } from '../reconcile/comparing.ts';
import { createRegistry, type Registry } from '../setup/registry.ts';

let registry: Registry;
beforeAll(async () => {
  registry = await createRegistry();
  await registry.query(`insert into registry.person (id, uid) select n, 'user' || n from generate_series(1, 3) n`);
  await bringUpToDate(registry);
});
afterAll(() => registry.close());

async function staffetta(...args: string[]) {
  const { ended, printed } = registry.spawn(...args);
  return { exitCode: await ended, ...printed };
}

const change = () =>
  registry.directory.modify(
    `dn: uid=user1,ou=people,${registry.directory.suffix}\nchangetype: modify\nreplace: sn\nsn: Neri\n`,
  );

describe('staffetta reconcile', () => {
  test('exits with 0 where nothing differs', async () => {
    const { exitCode, stdout, stderr } = await staffetta('reconcile');
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout.split('\n')[0]).toMatch(
      /^target +entity +seen +missing +changed +misplaced +unlinked +unexpected +unreadable +under way +repaired$/,
    );
    expect(stdout.split('\n')[1]).toMatch(/^directory +person +3 +0/);
  });

  test('shows who differs in what and exits with 1, until that is repaired', async () => {
    await change();
    const found = await staffetta('reconcile', 'directory', 'person');
    expect(found.exitCode).toBe(1);
    expect(found.stdout).toMatch(/directory +person +1 +changed +uid=user1\S+ +sn +no/);

    const repaired = await staffetta('reconcile', '--repair', '--json');
    expect(repaired.exitCode).toBe(0);
    expect(JSON.parse(repaired.stdout)).toMatchObject({
      differences: 1,
      routes: [{ entity: 'person', seen: 3, changed: 1, repaired: 1, complete: true, error: null }, { entity: 'team' }],
      drift: [{ entity: 'person', key: '1', what: 'changed', attributes: ['sn'], repaired: true }],
    });
    await bringUpToDate(registry);
    expect((await staffetta('reconcile')).exitCode).toBe(0);
  });

  test('says how many more there are than it shows', async () => {
    await change();
    const { stdout } = await staffetta('reconcile', '--limit', '0');
    expect(stdout).not.toContain('uid=user1');
    expect(stdout).toContain('1 more: select * from staffetta.drift');
  });

  test('names a target or an entity that is not there', async () => {
    const target = await staffetta('reconcile', 'badge');
    expect(target).toMatchObject({ exitCode: 2, stdout: '' });
    expect(target.stderr).toContain('There is no target "badge". Known targets: directory.');
    expect((await staffetta('reconcile', 'directory', 'dog')).stderr).toContain('There is no entity "dog"');
  });

  test('refuses to compare with a configuration that was not applied', async () => {
    await registry.configure(['employeeNumber: { from: id }', 'employeeNumber: "{id}"']);
    const { exitCode, stderr } = await staffetta('reconcile');
    await registry.configure();
    expect(exitCode).toBe(2);
    expect(stderr).toContain('staffetta.yml is not the configuration that was applied last');
  });

  test('tells why it could not be read, and exits with 1', async () => {
    await registry.directory.stop();
    const { exitCode, stdout } = await staffetta('reconcile', 'directory', 'person', '--repair');
    await registry.directory.start();
    expect(exitCode).toBe(1);
    expect(stdout).toContain('ECONNREFUSED');
  });
});
