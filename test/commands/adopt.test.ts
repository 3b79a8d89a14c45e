import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { explainCommand } from '../../src/commands/explain.ts';
import { bringUpToDate } from '../reconcile/comparing.ts';
import { createRegistry, type Registry } from '../setup/registry.ts';
import { runHere } from './run-here.ts';

let registry: Registry;
beforeAll(async () => {
  registry = await createRegistry();
  await registry.query(`insert into registry.person (id, uid) select n, 'user' || n from generate_series(1, 3) n`);
  const entries = ['user1', 'user2', 'other'].map(
    (uid) => `dn: uid=${uid},ou=people,${registry.directory.suffix}\nobjectClass: inetOrgPerson\ncn: x\nsn: x\n`,
  );
  await registry.directory.add(entries.join('\n'));
});
afterAll(() => registry.close());

async function staffetta(...args: string[]) {
  const { ended, printed } = registry.spawn(...args);
  return { exitCode: await ended, ...printed };
}

describe('staffetta adopt', () => {
  test('reports what matches and writes nothing', async () => {
    const { exitCode, stdout, stderr } = await staffetta('adopt', 'directory', 'person');
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const [heading, numbers] = stdout.split('\n');
    expect(heading).toMatch(
      /^target +entity +seen +linked +matched +ambiguous +unmatched entries +unmatched identities +unreadable +adopted$/,
    );
    expect(numbers).toMatch(/^directory +person +3 +0 +2 +0 +1 +1 +0 +0$/);
    expect(stdout).toMatch(/directory +person +matched +1 +uid=user1\S+ +\(the same\)/);
    expect(stdout).toMatch(/directory +person +unmatched identity +3 +uid=user3/);
    expect(stdout).toContain('Nothing was written. With --yes, what matched is linked');
    expect(await registry.query('select from staffetta.link')).toEqual([]);
  });

  test('writes every finding to a file that only its owner may read', async () => {
    const file = join(dirname(registry.file), 'findings.csv');
    expect((await staffetta('adopt', 'directory', '--csv', file)).exitCode).toBe(0);
    const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
    expect(lines[0]).toBe('target,entity,verdict,key,entry,wanted,note');
    expect(lines).toHaveLength(5);
    expect(lines[1]).toBe(
      `directory,person,matched,1,"uid=user1,ou=people,${registry.directory.suffix}","uid=user1,ou=people,${registry.directory.suffix}",`,
    );
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  test('says which file it cannot write', async () => {
    const { exitCode, stderr } = await staffetta('adopt', 'directory', '--csv', '/nowhere/findings.csv');
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^\/nowhere\/findings.csv cannot be written: ENOENT/);
  });

  test('is what a new target with entries waits for, or an administrator who knows of them', async () => {
    const state = async () => (await registry.query('select state, admitted from staffetta.target'))[0];
    await registry.query('update staffetta.target set admitted = false');
    await staffetta('run', '--once');
    expect(await state()).toEqual({ state: 'quarantined', admitted: false });
    await staffetta('adopt', 'directory', 'person', '--yes'); // teams were not looked at
    expect(await state()).toEqual({ state: 'quarantined', admitted: false });
    await staffetta('adopt', 'directory', '--i-know');
    expect(await state()).toEqual({ state: 'active', admitted: true });
    await registry.query(`delete from staffetta.link`);
    await registry.query(`delete from staffetta.remote_id`);
  });

  test('links with --yes, so that replays bring the entries up to date', async () => {
    const { exitCode, stdout } = await staffetta('adopt', 'directory', '--yes', '--json');
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      routes: [
        {
          entity: 'person',
          seen: 3,
          matched: 2,
          unmatched_entries: 1,
          unmatched_identities: 1,
          adopted: 2,
          error: null,
        },
        { entity: 'team', seen: 0, adopted: 0 },
      ],
    });
    await bringUpToDate(registry);
    expect((await registry.person(1))?.sn).toEqual(['Rossi']);
    expect((await registry.person(3))?.dn).toEqual([`uid=user3,ou=people,${registry.directory.suffix}`]);
    const operations = await registry.query(
      `select key, operation from staffetta.journal where entity = 'person' and result = 'done' order by key`,
    );
    expect(operations).toEqual([
      { key: '1', operation: 'update' },
      { key: '2', operation: 'update' },
      { key: '3', operation: 'create' },
    ]);
    const explained = await runHere(explainCommand(), ['person', '1', '--config', registry.file], registry.env);
    expect(explained.stdout).toMatch(/\n +found there by its remote id and adopted /);
  });

  test('needs a target', async () => {
    expect((await staffetta('adopt')).exitCode).toBe(2);
    expect((await staffetta('adopt', 'badge')).stderr).toContain('There is no target "badge"');
  });
});
