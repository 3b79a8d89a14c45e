import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { config } from '../../src/config/schema.ts';
import { createFixture, type Fixture } from './fixture.ts';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await createFixture();
});
afterAll(() => fixture.close());

test('the example of docs/mapping.md gives what is printed there', async () => {
  const page = await readFile(new URL('../../docs/mapping.md', import.meta.url), { encoding: 'utf8' });
  const block = (language: string) => new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'ms').exec(page)?.[1] ?? '';
  await fixture.query(`
    create table registry.person (id bigint primary key, login text, given_name text, surname text, status text, password_hash text);
    create table registry.email (person_id bigint, address text, position int);
    insert into registry.person values (42, 'anna', 'Anna', 'Rossi', 'student', '{SSHA}x'), (43, 'plato', null, 'Plato', 'staff', null),
      (44, 'g', 'A', 'Guest', 'guest', null), (45, null, 'No', 'Login', 'staff', null);
    insert into registry.email values (42, 'anna.rossi@example.org', 1), (42, 'anna@example.org', 2)`);
  await fixture.query(block('sql'));
  await fixture.apply(
    config.parse({ version: 1, database: { url: 'postgres://localhost/registry' }, ...parse(block('yaml')) }),
  );

  const rows = await fixture.query<{ attributes: unknown; remote_id: string | null }>(
    `select key, released, coalesce(remote_id, '') as remote_id, coalesce(attributes::text, '') as attributes
     from staffetta.desired('directory', 'person') order by key`,
  );
  const printed = page
    .split('\n-----------+----\n')
    .map((record) =>
      Object.fromEntries([...record.matchAll(/^(\w+) +\|(?: (.*))?$/gm)].map(([, name, value]) => [name, value ?? ''])),
    )
    .map(({ key, released, remote_id, attributes }) => ({ key, released: released === 't', remote_id, attributes }));
  expect(rows).toEqual(printed);
  expect(rows).toHaveLength(3);
});
