import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSite, type Site } from '../apply/site.ts';
import { staffetta } from './staffetta.ts';

let site: Site;
let folder: string;
beforeAll(async () => {
  site = await createSite('create table registry.person (id bigint primary key, uid text)');
  folder = await mkdtemp(join(tmpdir(), 'staffetta-apply-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
  await site.close();
});

const configure = ({ url = site.owner.url, dn = 'uid={uid},dc=x', target = 'directory', mode = 'live' } = {}) =>
  writeFile(
    join(folder, 'staffetta.yml'),
    `version: 1
database: { url: "${url}" }
entities:
  person: { view: registry.person, key: id, sources: { registry.person: id } }
targets:
  ${target}:
    type: ldap
    url: ldap://localhost
    entities:
      person: { dn: "${dn}" }
    mode: ${mode}
`,
  );

describe('staffetta apply', () => {
  test('--dry-run prints the SQL, and does nothing', async () => {
    await configure();
    const { exitCode, stdout, stderr } = await staffetta(folder, 'apply', '--dry-run');
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toContain('create trigger staffetta_i after insert on registry.person');
    expect(await site.query(`select * from pg_namespace where nspname = 'staffetta'`)).toEqual([]);
    const json = await staffetta(folder, 'apply', '--dry-run', '--json');
    expect(JSON.parse(json.stdout).statements.join('\n\n')).toBe(stdout.trim());
  });

  test('--plan says what it would do to entries, also before anything was ever applied, and does nothing', async () => {
    await configure();
    await site.query(`insert into registry.person values (1, 'ada')`);
    const planned = await staffetta(folder, 'apply', '--plan');
    expect(planned).toEqual({
      exitCode: 0,
      stdout: 'person on directory: 1 created\n  create 1  uid=ada,dc=x  id: (nothing) → 1; uid: (nothing) → ada\n',
      stderr: '',
    });
    const json = await staffetta(folder, 'apply', '--plan', '--json');
    expect(JSON.parse(json.stdout).routes).toMatchObject([
      { target: 'directory', operations: { create: 1 }, guard: [] },
    ]);
    expect(await staffetta(folder, 'apply', '--plan', '--dry-run')).toMatchObject({ exitCode: 2 });
    await site.query('delete from registry.person');
    expect(await site.query(`select * from pg_namespace where nspname = 'staffetta'`)).toEqual([]);
  });

  test('says what it did, then that there is nothing to do', async () => {
    const first = await staffetta(folder, 'apply');
    expect(first).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(
        /^(migrated +\d{4}-[a-z-]+\n)+captured +registry.person\nmapped +person to directory \(new; a rescan will find what differs\)\n$/,
      ),
    });
    const second = await staffetta(folder, 'apply');
    expect(second).toEqual({
      exitCode: 0,
      stdout: 'Nothing to do: the database is as the configuration says.\n',
      stderr: '',
    });
    expect((await staffetta(folder, 'apply', '--dry-run')).stdout).toBe('-- Nothing to do.\n');
    const { stdout } = await staffetta(folder, 'apply', '--json');
    expect(JSON.parse(stdout)).toEqual({
      migrations: [],
      captured: [],
      released: [],
      modes: [],
      routes: [],
      retired: [],
      warnings: [],
    });
  });

  test('says which target is dealt with otherwise from now on', async () => {
    await configure({ mode: 'observe' });
    expect((await staffetta(folder, 'apply')).stdout).toBe('mode         of target directory: live → observe\n');
  });

  test('records who applied it', async () => {
    await configure({ target: 'other' });
    expect((await staffetta(folder, 'apply')).stdout).toMatch(
      /retired +target directory: its links are kept, nothing is sent to it/,
    );
    const [installation] = await site.query('select applied_by from staffetta.installation');
    expect(installation?.applied_by).toMatch(/^\w+$/);
    expect(installation?.applied_by).not.toBe(site.owner.name);
  });

  test('told to do what cannot be: the mistake with its place, exit 2', async () => {
    await configure({ dn: 'uid={login},dc=x' });
    expect(await staffetta(folder, 'apply')).toEqual({
      exitCode: 2,
      stdout: '',
      stderr:
        'staffetta.yml:10:21: targets.directory.entities.person.dn: view registry.person has no column "login"; It has: id, uid\n',
    });
  });

  test('a database that cannot be reached: one sentence without the password, exit 1', async () => {
    await configure({ url: 'postgres://ada:geheim@127.0.0.1:1/registry' });
    expect(await staffetta(folder, 'apply')).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: 'Cannot connect to PostgreSQL at 127.0.0.1:1, database registry as ada: nothing answers there.\n',
    });
  });

  test('a role without the rights for it: what to grant, exit 2', async () => {
    const role = await site.database.createRole();
    await site.query(`grant usage on schema registry to ${role.name}`);
    await site.query(`grant select, trigger on registry.person to ${role.name}`);
    await configure({ url: role.url });
    const refused = async () => {
      const { exitCode, stderr } = await staffetta(folder, 'apply');
      expect(exitCode).toBe(2);
      const lines = stderr.trim().split('\n').sort();
      return lines.map((line) => line.replace('staffetta.yml:2:18: database.url: ', ''));
    };
    const same = '"staffetta apply" and "staffetta run" connect as the same role';
    expect(await refused()).toEqual([
      `the schema graphile_worker belongs to ${site.owner.name}, and the role is ${role.name}; ${same}`,
      `the schema staffetta belongs to ${site.owner.name}, and the role is ${role.name}; ${same}`,
    ]);
    await site.query('drop schema staffetta cascade; drop schema graphile_worker cascade');
    await site.query(`revoke temporary on database ${site.database.name} from public`);
    const database = site.database.name;
    expect(await refused()).toEqual([
      `the role ${role.name} cannot make schema staffetta and schema graphile_worker; run: grant create on database ${database} to ${role.name}`,
      `the role ${role.name} may make no temporary view, with which key expressions are looked at; run: grant temporary on database ${database} to ${role.name}`,
    ]);
    await site.query(`grant create, temporary on database ${database} to ${role.name}`);
    expect(await staffetta(folder, 'apply')).toMatchObject({ exitCode: 0 });
  });
});
