import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { explainLoad } from '../../src/desired/explain.ts';
import { configure, createFixture, type Fixture } from './fixture.ts';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await createFixture();
  await fixture.query(`
    create domain registry.code as varchar;
    create table registry.person (id bigint primary key, number numeric(20,0) unique, code registry.code unique, uuid uuid unique,
      name text collate "C" unique, email text);
    insert into registry.person select i, i, 'c' || i, md5(i::text)::uuid, 'n' || i, i || '@example.org' from generate_series(1, 20000) i;
    create table registry.email (person_id bigint, address text);
    insert into registry.email select i, i || '@example.org' from generate_series(1, 20000) i;
    create view registry.v_person as select p.*, e.addresses from registry.person p
      cross join lateral (select array_agg(address order by address) as addresses from registry.email where person_id = p.id) e;
    analyze registry.person; analyze registry.email`);
});
afterAll(() => fixture.close());

const columns = {
  only: `name <> 'x'`,
  dn: 'uid={name}',
  attributes: { mail: { from: 'email' }, pw: { from: 'code', secret: true } },
};

describe('looking up 500 keys uses the index', () => {
  test.each([
    ['id', 'bigint'],
    ['number', 'numeric'],
    ['code', 'character varying'],
    ['uuid', 'uuid'],
    ['name', 'text'],
  ])('of the key column %s (%s)', async (key, type) => {
    await fixture.query('create or replace view registry.v_plain as select * from registry.person');
    await fixture.apply(configure({ person: { view: 'registry.v_plain', key } }, { person: columns }));
    const plan = await fixture.query<{ 'QUERY PLAN': string }>(
      `explain select d.* from unnest((select array_agg(${key}) from (select ${key} from registry.v_plain limit 500) s)::${type}[]) k(key)
       left join lateral (select * from staffetta.desired_directory_person x where x.key = k.key offset 0) d on true`,
    );
    const text = plan.map((row) => row['QUERY PLAN']).join('\n');
    expect(text).toMatch(/Index Scan|Bitmap Index Scan/);
    expect(text).toContain('Function Scan on unnest k'); // the only function that is left: ours was written into the query
    expect(text).not.toContain('_rows');
    expect(await explainLoad(fixture.client, { target: 'directory', entity: 'person' }, type)).toBeUndefined();
  });
});

test('a lookup that has to read all of a table is told', async () => {
  const mapping = { target: 'directory', entity: 'person' };
  await fixture.apply(
    configure(
      { person: { view: 'registry.v_person', key: 'id' } },
      { person: { dn: 'uid={name}', attributes: { mail: { from: 'addresses' } } } },
    ),
  );
  expect(await explainLoad(fixture.client, mapping, 'bigint')).toBe(
    'looking up a few person keys for directory reads all of registry.email (about 20,000 rows); give the table an index on the ' +
      'columns that lead from the key to it, or write the view so that the key can reach it (a lateral subquery instead of one ' +
      'GROUP BY over everything)',
  );
  await fixture.query('create index on registry.email (person_id); analyze registry.email');
  expect(await explainLoad(fixture.client, mapping, 'bigint')).toBeUndefined();
});
