import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { explainCommand } from '../../src/commands/explain.ts';
import { runHere } from '../commands/run-here.ts';
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
  await registry.configure(deprovision, ['deprovision: delete', `only: "name <> 'guests'"\n        deprovision: keep`]);
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
    expect(
      await query(
        `select next_at - since = interval '90 days' as in_time, since > now() - interval '1 minute' as now from staffetta.deprovisioning`,
      ),
    ).toEqual([{ in_time: true, now: true }]);

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
    const { stdout } = await runHere(explainCommand(), ['person', '1', '--config', registry.file], registry.env);
    expect(stdout).toContain('not in the view');
    expect(stdout).toMatch(/left the view .*, 60 d ago\n +next: delete, .*, in 29 d/);
    expect(stdout).toMatch(/a replay would +nothing: delete on \d{4}-\d{2}-\d{2}/);
    expect(stdout).toContain('"delete" follows by itself when its time has come');
  });
});

describe('a group', () => {
  const trace = async () => ({
    entry: await registry.team(1),
    links: (await query(`select state from staffetta.link where entity = 'team'`)).map(({ state }) => state),
  });
  beforeEach(async () => {
    await query(
      `delete from registry.team; insert into registry.team values (1, 'choir'); insert into registry.member values (1, 1)`,
    );
    await registry.calm();
  });

  test('that leaves and is to be kept stays as it is, and is found again', async () => {
    const before = await registry.team(1);
    await query('delete from registry.team');
    await registry.calm();
    expect(await trace()).toEqual({ entry: before, links: ['kept'] });
    expect(
      await query(`select operation, result from staffetta.journal where entity = 'team' order by at desc limit 1`),
    ).toEqual([{ operation: 'keep', result: 'done' }]);
    await query(`insert into registry.team values (1, 'chorus')`);
    await registry.calm();
    expect(await trace()).toMatchObject({ entry: { entryUUID: before?.entryUUID, cn: ['chorus'] }, links: ['active'] });
  });

  test('that no longer meets "only" is released: its entry stays, and is nobody’s', async () => {
    const before = await registry.team(1);
    await query(`update registry.team set name = 'guests'`);
    await registry.calm();
    expect(await trace()).toEqual({ entry: before, links: [] });
    await query('delete from registry.team');
    await registry.calm();
    expect(await trace()).toEqual({ entry: before, links: [] });
    await registry.directory.modify(`dn: ${before?.dn}\nchangetype: delete\n`);
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
