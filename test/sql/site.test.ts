import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { createInstallation, type Installation } from './installation.ts';

let site: Installation;
beforeEach(async () => {
  await site?.close();
  site = await createInstallation();
  await site.query(`update staffetta.installation set revision = 'r1'`);
  await site.query(`select staffetta.accept_database('db:5432')`);
  await site.query(
    `insert into staffetta.link (target, entity, key, remote_id, attributes) values ('directory', 'person', '1', 'uid=ada', '{}')`,
  );
});
afterAll(() => site.close());

const refusal = async (revision = 'r1', host = 'db:5432') =>
  (await site.query<{ refusal: string | null }>('select staffetta.refusal($1, $2)', [revision, host]))[0]?.refusal;
const accept = async (host = 'db:5432') =>
  (await site.query<{ note: string }>('select staffetta.accept_database($1) as note', [host]))[0]?.note;
const noteTimeline = async () =>
  (await site.query<{ noted: boolean }>('select staffetta.note_timeline() as noted'))[0]?.noted;
/** Per target: whether its links are doubtful, and how many reconciles are owed. */
const doubts = async () =>
  Object.fromEntries(
    (
      await site.query<{ target: string; doubts: [boolean, number] }>(
        `select t.target, json_build_array(t.epoch > 1, sum(r.reconcile)) as doubts
         from staffetta.target t join staffetta.route r using (target) group by t.target, t.epoch`,
      )
    ).map(({ target, doubts }) => [target, doubts]),
  );

describe('whether a daemon may deliver from this database', () => {
  test('it may from the one that was accepted, with the configuration that was applied', async () => {
    expect(await refusal()).toBeNull();
    expect(await refusal('r2')).toContain('another configuration was applied');
    await site.query('update staffetta.installation set revision = null');
    expect(await refusal()).toContain('run "staffetta apply"');
  });

  test.each([
    ['another cluster', `system_identifier = '1'`],
    ['another database of the cluster', 'database_oid = 1'],
  ])('it may not from what was %s once', async (_, change) => {
    await site.query(`update staffetta.installation set ${change}`);
    expect(await refusal()).toMatch(/this is a copy.*run "staffetta accept-database"/);
  });

  test('it may not where the database is reached under another name, until that is accepted beside the first', async () => {
    expect(await refusal('r1', 'copy:5432')).toMatch(/reached at copy:5432, and was at db:5432.*accept-database/);
    expect(await accept('copy:5432')).toBe('it may be reached at copy:5432, too');
    expect([await refusal('r1', 'copy:5432'), await refusal()]).toEqual([null, null]);
    expect(await accept('copy:5432')).toBe('it was accepted already');
    expect(await doubts()).toEqual({ directory: [false, 0], badge: [false, 0] });
  });

  test('a copy that was accepted is reached only where it is, and none of its links is trusted', async () => {
    await site.query(`update staffetta.installation set system_identifier = '1'`);
    expect(await accept('new:5432')).toContain('takes the place of the one that was accepted before');
    expect(await refusal('r1', 'new:5432')).toBeNull();
    expect(await refusal()).toContain('reached at db:5432, and was at new:5432');
    expect(await doubts()).toEqual({ directory: [true, 2], badge: [true, 1] });
  });

  test('after a failover it may once that is noted: once, and then no link is trusted', async () => {
    await site.query('update staffetta.installation set timeline = timeline - 1');
    expect(await refusal()).toContain('restored or has failed over');
    expect([await noteTimeline(), await noteTimeline()]).toEqual([true, false]);
    expect(await refusal()).toBeNull();
    expect(await doubts()).toEqual({ directory: [true, 2], badge: [true, 1] });
  });

  test('the timeline of a copy is of no interest', async () => {
    await site.query(`update staffetta.installation set timeline = timeline - 1, system_identifier = '1'`);
    expect(await noteTimeline()).toBe(false);
  });

  test('whoever accepts a database says where it is', async () => {
    await expect(accept('')).rejects.toThrow('At which host do daemons reach it?');
  });
});

describe('accepting the server that a target reaches', () => {
  test('forgets which one it was, doubts its links alone, and lifts its quarantine', async () => {
    await site.query(`update staffetta.target set identity = 'old', state = 'quarantined', reason = 'another'`);
    expect(await site.query(`select * from staffetta.accept_target('directory')`)).toEqual([
      {
        target: 'directory',
        entity: null,
        deliveries: '1',
        note: 'accepted; every link is read back before it is trusted',
      },
    ]);
    expect(await site.query('select target, identity, state, reason from staffetta.target order by 1')).toEqual([
      { target: 'badge', identity: 'old', state: 'quarantined', reason: 'another' },
      { target: 'directory', identity: null, state: 'active', reason: null },
    ]);
    expect(await doubts()).toEqual({ directory: [true, 2], badge: [false, 0] });
  });

  test('leaves a paused one paused', async () => {
    await site.query(`update staffetta.target set state = 'paused', reason = 'maintenance'`);
    await site.query(`select * from staffetta.accept_target('directory')`);
    expect(await site.query(`select state, reason from staffetta.target where target = 'directory'`)).toEqual([
      { state: 'paused', reason: 'maintenance' },
    ]);
  });

  test('wants to be told which, by a name that is known', async () => {
    await expect(site.query('select * from staffetta.accept_target(null)')).rejects.toThrow('Which target?');
    await expect(site.query(`select * from staffetta.accept_target('x')`)).rejects.toThrow('There is no target "x"');
  });
});
