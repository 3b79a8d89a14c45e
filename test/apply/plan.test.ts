import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ApplyPlan, planApply } from '../../src/apply/plan.ts';
import { showPlan } from '../../src/commands/show-plan.ts';
import { createRegistry, type Registry } from '../setup/registry.ts';

/** Ten people and two teams, delivered; then configurations that nobody applies. */
let registry: Registry;
beforeAll(async () => {
  registry = await createRegistry();
  await registry.configure();
  await registry.apply();
  await registry.query(`
    insert into registry.person (id, uid, given, room, password) select n, 'p' || n, 'P' || n, n, 'secret-' || n from generate_series(1, 10) n;
    insert into registry.team select n, 't' || n from generate_series(1, 2) n;
    insert into registry.member values (1, 1), (1, 2)`);
  await registry.start();
  await registry.calm();
});
afterAll(() => registry.close());

async function plan(...changes: readonly (readonly [string, string])[]): Promise<ApplyPlan> {
  const { createPool } = await import('../../src/database/pool.ts');
  await registry.configure(...changes);
  const pool = createPool(registry.url, 'test plan');
  try {
    return await planApply(pool, registry.load());
  } finally {
    await pool.end();
  }
}
const person = (planned: ApplyPlan) => planned.routes.find(({ entity }) => entity === 'person');
/** Everything that an apply would change. */
const state = () =>
  registry.query(
    `select (select jsonb_agg(g order by kind, name) from staffetta.generated g) as generated, (select jsonb_agg(r) from staffetta.route r) as routes,
       (select jsonb_agg(t) from staffetta.target t) as targets, (select count(*) from staffetta.delivery) as deliveries, (select revision from staffetta.installation) as revision,
       pg_get_viewdef('staffetta.desired_directory_person') as view, (select prosrc from pg_proc where proname = 'desired_directory_person_rows') as rows`,
  );

describe('apply --plan', () => {
  test('says of what is applied already that nothing would be done', async () => {
    const planned = await plan();
    expect(planned.routes.map(({ operations }) => operations)).toEqual([{ nothing: 10 }, { nothing: 2 }]);
    expect(showPlan(planned)).toBe('person on directory: 10 unchanged\nteam on directory: 2 unchanged');
  });

  test('counts attributes, shows samples, and changes nothing', async () => {
    const before = await state();
    const planned = await plan(
      ['roomNumber: { from: room }', 'roomNumber: "room {room}"'],
      ['cn: "{given?} {surname?}"', 'cn: "{surname?}"'],
    );
    expect(person(planned)).toMatchObject({
      error: null,
      operations: { update: 10 },
      attributes: { cn: 10, roomNumber: 10 },
      guard: [],
    });
    expect(person(planned)?.samples).toHaveLength(5);
    expect(person(planned)?.samples[0]).toEqual({
      operation: 'update',
      key: '1',
      remote_id: expect.stringContaining('uid=p1,'),
      changes: [
        { attribute: 'cn', before: ['P1 Rossi'], after: ['Rossi'] },
        { attribute: 'roomNumber', before: ['1'], after: ['room 1'] },
      ],
    });
    expect(await state()).toEqual(before);
  });

  test('tells renames from updates, and never shows a secret', async () => {
    await registry.query(`update registry.person set password = 'other' where id = 1`);
    await registry.calm();
    const planned = await plan(
      ['dn: "uid={uid},ou={area}', 'dn: "employeeNumber={id},ou={area}'],
      ['userPassword: { from: password, secret: true }', 'userPassword: { from: uid, secret: true }'],
    );
    expect(person(planned)).toMatchObject({ operations: { rename: 10 }, attributes: { userPassword: 10 } });
    expect(JSON.stringify(planned)).toContain('********');
    expect(JSON.stringify(planned)).not.toMatch(/secret-|other/);
  });

  test('says who would be released, and who removed, which the guard would hold', async () => {
    const released = await plan(['dn: "uid', 'only: "id > 3"\n        dn: "uid']);
    expect(person(released)).toMatchObject({ operations: { release: 3, nothing: 7 }, guard: [] });
    await registry.query('create view registry.v_few as select * from registry.v_person where id > 4');
    const planned = await plan(
      ['dn: "uid', 'view: registry.v_few\n        dn: "uid'],
      ['guard: { removals: 100%, changes: 100% }', 'guard: { removals: 20%, floor: 1 }'],
    );
    expect(person(planned)).toMatchObject({
      operations: { remove: 4, nothing: 6 },
      guard: ['removals: the guard would hold them: 4 of 10 links, and it lets through 2'],
    });
    expect(showPlan(planned)).toContain('person on directory: 4 removed, 6 unchanged\n  guard: removals');
  });

  test('says when changes would clear values of many', async () => {
    const planned = await plan(
      ['          roomNumber: { from: room }\n', ''],
      ['guard: { removals: 100%, changes: 100% }', 'guard: { changes: 20%, floor: 1 }'],
    );
    // What is taken out of the mapping stays on the target.
    expect(person(planned)).toMatchObject({ operations: { note: 10 }, guard: [] });
    const emptied = await plan(
      ['roomNumber: { from: room }', 'roomNumber: { from: emails }'],
      ['guard: { removals: 100%, changes: 100% }', 'guard: { changes: 20%, floor: 1 }'],
    );
    expect(person(emptied)?.guard).toEqual([
      'changes that clear values: the guard would hold them: 10 of 10 links, and it lets through 2',
    ]);
  });

  test('counts members as what they are', async () => {
    const planned = await plan(['member: { ref: person, from: members', 'member: { ref: team, from: members']);
    expect(planned.routes.find(({ entity }) => entity === 'team')).toMatchObject({
      operations: { update: 1, nothing: 1 },
      attributes: { member: 1 },
    });
  });

  test('parks what cannot be read, and nobody else', async () => {
    await registry.query('create view registry.v_odd as select p.*, 1 / (id - 7) as odd from registry.v_person p');
    const planned = await plan(
      ['dn: "uid', 'view: registry.v_odd\n        dn: "uid'],
      ['roomNumber: { from: room }', 'roomNumber: { from: odd }'],
    );
    expect(person(planned)).toMatchObject({ error: null, operations: { update: 9, park: 1 } });
    expect(person(planned)?.samples.find(({ operation }) => operation === 'park')).toMatchObject({
      key: '7',
      changes: [{ after: ['division by zero'] }],
    });
  });

  test('of a new target and one that goes, and of steps that are days away', async () => {
    const planned = await plan(['  directory:\n    type', '  library:\n    type']);
    expect(planned.routes).toMatchObject([
      { target: 'library', entity: 'person', operations: { create: 10 } },
      { target: 'library', entity: 'team', operations: { create: 2 } },
    ]);
    expect(planned.released).toEqual([
      { target: 'directory', entity: 'person', links: 10 },
      { target: 'directory', entity: 'team', links: 2 },
    ]);
    expect(showPlan(planned)).toContain('person on directory: no longer configured; 10 entries stay as they are');
  });
});
