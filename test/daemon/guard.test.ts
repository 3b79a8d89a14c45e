import type { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { approveCommand } from '../../src/commands/approve.ts';
import { discardCommand } from '../../src/commands/discard.ts';
import { runHere } from '../commands/run-here.ts';
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

const fill = (unless = '') =>
  registry.query(`
    insert into registry.person (id, uid, room) select n, 'p' || n, '1' from generate_series(1, ${crowd}) n ${unless};
    insert into registry.email select n, 'p' || n || '@example.org' from generate_series(1, ${crowd}) n ${unless};
    insert into registry.team select n, 't' || n from generate_series(1, 20) n ${unless};
    insert into registry.member select n, n from generate_series(1, 20) n ${unless}`);
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

async function staffetta(command: Command, ...args: string[]): Promise<void> {
  const { exitCode, stderr } = await runHere(command, ['--config', registry.file, ...args], registry.env);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
}

describe('nobody is harmed, and one command sets it right', () => {
  test('when a few leave, and a few more: what the window allows goes out, and what is too much is held', async () => {
    const gone = (from: number, to: number) =>
      registry.query('delete from registry.person where id between $1 and $2', [from, to]);
    await gone(1, 8);
    await until(entries, (count) => count === crowd - 8, { what: 'that eight are gone' });
    await gone(9, 16);
    await held('person', 8);
    expect(await entries()).toBe(crowd - 8);
    const [reason] = await registry.query<{ reason: string }>('select distinct reason from staffetta.held');
    expect(reason?.reason).toBe(
      '8 removals are due, 8 were let through in the last 24 h, and the guard lets through 10',
    );
    // A day later.
    await registry.query(`update staffetta.guard_spent set at = at - interval '24 hours'`);
    await gone(17, 18);
    await until(entries, (count) => count === crowd - 10, { what: 'that two more are gone' });
    await held('person', 8);
    await fill('on conflict do nothing');
    await registry.calm();
    expect(await registry.differences()).toEqual([]);
    await registry.query(`delete from staffetta.guard_spent`);
  });

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
    expect(
      await registry.query(
        `select count(*)::int as discarded, min(message) as message, min(actor) = current_user as mine from staffetta.journal where result = 'discarded'`,
      ),
    ).toEqual([
      { discarded: crowd, message: expect.stringMatching(/^the view was wrong \(update .*\(mail\)\)$/), mine: true },
    ]);
  });

  test('when it was meant: one approval', async () => {
    await empty();
    await Promise.all([held('person', crowd), held('team', 20)]);
    await staffetta(approveCommand(), 'directory', 'person', '1', '2', '--reason', 'they have left');
    await held('person', crowd - 2);
    await staffetta(discardCommand(), 'directory', 'person', '3', '--reason', 'she is a guest now');
    await held('person', crowd - 3);
    expect([await registry.person(1), await registry.person(2)]).toEqual([undefined, undefined]);
    expect(await entries()).toBe(crowd - 2);

    // Their teams were looked at once more, and are held again.
    await until(
      () =>
        registry.query(`select from staffetta.event union all select from staffetta.delivery where state <> 'held'`),
      (underWay) => underWay.length === 0,
      { what: 'that everything is held' },
    );
    await registry.query(`select * from staffetta.approve('directory', reason => 'the end of the year')`);
    await registry.calm();
    expect((await registry.directory.entries('(objectClass=inetOrgPerson)', 'uid')).size).toBe(1);
    expect(await registry.person(3)).toBeDefined();
    const causes = await registry.query<{ said: string }>(
      `select concat_ws(' ', operation, result, coalesce(message, cause), count(*)) as said from staffetta.journal
       where entity = 'person' and (cause like 'approved%' or message like 'she is%') group by operation, result, coalesce(message, cause) order by said`,
    );
    expect(causes.map(({ said }) => said)).toEqual([
      expect.stringMatching(/^none discarded she is a guest now \(remove uid=p3,.*\) 1$/),
      `remove done approved: the end of the year ${crowd - 3}`,
      'remove done approved: they have left 2',
    ]);
  });
});
