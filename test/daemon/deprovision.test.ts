import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createRegistry, type Registry } from '../setup/registry.ts';
import { until } from '../setup/until.ts';

const deprovision = [
  'deprovision: delete',
  `deprovision: [disable, { after: 90d, do: delete }]
        disable: { dn: "uid={uid},ou=former,\${LDAP_SUFFIX}", attributes: { employeeType: former, userPassword: "" } }`,
] as const;

let registry: Registry;
const query = (sql: string, values?: readonly unknown[]) => registry.query(sql, values);
const formerDn = () => `uid=anna,ou=former,${registry.directory.suffix}`;

/** Moves the clock forward by so many days: what the links noted is that much older then. */
const pass = (days: number) =>
  query('update staffetta.link set absent_since = absent_since - make_interval(days => $1)', [days]);

beforeAll(async () => {
  registry = await createRegistry();
  await registry.configure(deprovision);
  await registry.apply();
  await registry.start();
});
afterAll(() => registry.close());
beforeEach(async () => {
  await query('delete from registry.person');
  await registry.calm();
  await pass(1000);
  await query('select staffetta.sweep()');
  await until(
    () => registry.directory.entries('(objectClass=inetOrgPerson)'),
    (entries) => entries.size === 0,
    { what: 'that nobody is left' },
  );
  await query(`insert into registry.person (id, uid, given, password) values (1, 'anna', 'Anna', 'secret')`);
  await query(`insert into registry.email values (1, 'anna@example.org')`);
  await registry.calm();
});

describe('a person who leaves', () => {
  test('is disabled at once, and deleted after 90 days, by a daemon that was started in between', async () => {
    const before = await registry.person(1);
    await query('delete from registry.person');
    await registry.calm();
    const after = await registry.person(1);
    expect(after).toMatchObject({ dn: [formerDn()], entryUUID: before?.entryUUID, employeeType: ['former'] });
    expect(after).not.toHaveProperty('userPassword');
    expect(await query('select key, state, next_step from staffetta.deprovisioning')).toEqual([
      { key: '1', state: 'disabled', next_step: 'delete' },
    ]);

    await pass(89);
    expect(await query('select staffetta.enqueue_steps()::int as enqueued')).toEqual([{ enqueued: 0 }]);
    await pass(1);
    const other = await registry.start();
    await query('select staffetta.sweep()');
    expect(
      await until(
        () => registry.person(1),
        (entry) => entry === undefined,
        { what: 'that it is deleted' },
      ),
    ).toBeUndefined();
    await registry.calm();
    expect(await query('select from staffetta.link')).toEqual([]);
    await other.stop();
  });

  test('and comes back in time has the same entry, as it was', async () => {
    const { modifyTimestamp: _, entryCSN: __, ...before } = (await registry.person(1)) ?? {};
    await query('delete from registry.person');
    await registry.calm();
    await pass(89);
    await query(`insert into registry.person (id, uid, given, password) values (1, 'anna', 'Anna', 'secret')`);
    await query(`insert into registry.email values (1, 'anna@example.org')`);
    await registry.calm();
    expect(await registry.person(1)).toMatchObject(before);
    expect(await registry.person(1)).not.toHaveProperty('employeeType');
    expect(await query('select from staffetta.deprovisioning')).toEqual([]);
    await pass(1);
    await query('select staffetta.sweep()');
    await registry.calm();
    expect(await registry.person(1)).toBeDefined();
  });

  test('is told of by explain: since when, and what is done next', async () => {
    await query('delete from registry.person');
    await registry.calm();
    await pass(60);
    const explained = registry.spawn('explain', 'person', '1');
    expect(await explained.ended).toBe(0);
    expect(explained.printed.stdout).toContain('not in the view');
    expect(explained.printed.stdout).toMatch(/left the view .*, 60 d ago\n +next: delete, .*, in 29 d/);
    expect(explained.printed.stdout).toMatch(/a replay would +nothing: \(nothing\) → .*delete on \d{4}-\d{2}-\d{2}/);
    expect(explained.printed.stdout).toContain('"delete" follows by itself when its time has come');
  });
});

test('run --once takes the steps that are due', async () => {
  const lone = await createRegistry();
  try {
    await lone.configure(deprovision);
    await lone.apply();
    const once = async () => {
      const run = lone.spawn('run', '--once');
      expect(await run.ended, run.printed.stderr).toBe(0);
    };
    await lone.query(`insert into registry.person (id, uid) values (1, 'anna')`);
    await once();
    await lone.query('delete from registry.person');
    await once();
    expect(await lone.person(1)).toMatchObject({ employeeType: ['former'] });
    await lone.query(`update staffetta.link set absent_since = absent_since - interval '90 days'`);
    await once();
    expect(await lone.person(1)).toBeUndefined();
  } finally {
    await lone.close();
  }
});
