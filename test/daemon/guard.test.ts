import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createRegistry, type Registry } from '../setup/registry.ts';
import { until } from '../setup/until.ts';

let registry: Registry;
const crowd = 60;

beforeAll(async () => {
  registry = await createRegistry();
  await registry.configure(['guard: { removals: 100%, changes: 100% }', 'guard: { floor: 10 }']);
  await registry.apply();
  await registry.start();
  await fill();
  await registry.calm();
});
afterAll(() => registry.close());

const fill = () =>
  registry.query(`
    insert into registry.person (id, uid, room) select n, 'p' || n, '1' from generate_series(1, ${crowd}) n;
    insert into registry.email select n, 'p' || n || '@example.org' from generate_series(1, ${crowd}) n;
    insert into registry.team select n, 't' || n from generate_series(1, 20) n;
    insert into registry.member select n, n from generate_series(1, 20) n`);
const empty = () => registry.query('truncate registry.person, registry.email, registry.team, registry.member');
const entries = async () => (await registry.directory.entries('(objectClass=inetOrgPerson)', 'mail')).size;
const held = (entity: string, count: number) =>
  until(
    () =>
      registry.query<{ held: number; open: number }>(
        `select count(*) filter (where state = 'held')::int as held, count(*) filter (where state <> 'held')::int as open
         from staffetta.delivery where entity = $1`,
        [entity],
      ),
    ([row]) => row?.held === count && row.open === 0,
    { what: `that ${count} deliveries of ${entity} are held` },
  );
const attention = () =>
  registry
    .query<{ said: string }>(`select distinct unnest(attention) as said from staffetta.status`)
    .then((rows) => rows.map(({ said }) => said));

describe('nobody is harmed, and one command sets it right', () => {
  test('when somebody truncates the tables: the rows come back, and with them peace', async () => {
    await empty();
    await Promise.all([held('person', crowd), held('team', 20)]);
    expect(await entries()).toBe(crowd);
    expect(await attention()).toEqual(
      expect.arrayContaining([
        expect.stringContaining(`${crowd} held by the guard`),
        expect.stringContaining('20 held by the guard'),
      ]),
    );
    await fill();
    await registry.calm();
    expect([await registry.differences(), await attention()]).toEqual([[], []]);
  });

  test('when a view returns nothing: it is mended, and a rescan finds that nothing is to be done', async () => {
    const definition = await registry.query<{ sql: string }>(`select pg_get_viewdef('registry.v_person') as sql`);
    await registry.query(
      'create or replace view registry.v_person as select p.*, array[]::text[] as emails from registry.person p where false',
    );
    await registry.query('select * from staffetta.rescan()');
    await held('person', crowd);
    expect(await entries()).toBe(crowd);
    await registry.query(`create or replace view registry.v_person as ${definition[0]?.sql}`);
    await registry.query('select * from staffetta.rescan()');
    await registry.calm();
    expect(await registry.differences()).toEqual([]);
  });

  test('when the new version of a view blanks every mail: discarded, once the view is mended', async () => {
    const definition = await registry.query<{ sql: string }>(`select pg_get_viewdef('registry.v_person') as sql`);
    await registry.query(
      `create or replace view registry.v_person as select p.*, array[]::text[] as emails from registry.person p where not hidden`,
    );
    await registry.query('select * from staffetta.rescan()');
    await held('person', crowd);
    await registry.query(`create or replace view registry.v_person as ${definition[0]?.sql}`);
    await registry.query(`select * from staffetta.discard('directory', reason => 'the view was wrong')`);
    await registry.calm();
    expect(await registry.differences()).toEqual([]);
  });

  test('when it was meant: one approval', async () => {
    await empty();
    await Promise.all([held('person', crowd), held('team', 20)]);
    await registry.query(`select * from staffetta.approve('directory', reason => 'the end of the year')`);
    await registry.calm();
    expect(await entries()).toBe(0);
  });
});
