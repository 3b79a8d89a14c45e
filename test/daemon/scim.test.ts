/** People and teams carried to a SCIM service, which knows them by ids of its own. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createRegistry, type Registry } from '../setup/registry.ts';
import { type ScimServer, startScimServer } from '../targets/scim/server.ts';

describe('a SCIM service', () => {
  let registry: Registry;
  let server: ScimServer;
  const query: Registry['query'] = (sql, values) => registry.query(sql, values);
  const user = (id: number) => server.users().find(({ externalId }) => externalId === String(id));
  const group = (id: number) => server.groups().find(({ externalId }) => externalId === String(id));
  const writes = () => server.asked.filter(({ method }) => method !== 'GET').map(({ method }) => method);

  /** The people in a team, by number. */
  const members = (team: number): unknown[] => {
    const values = group(team)?.members;
    return (Array.isArray(values) ? values : [])
      .map(({ value }) => Number(server.users().find(({ id }) => id === value)?.externalId))
      .toSorted();
  };

  beforeAll(async () => {
    registry = await createRegistry();
    server = await startScimServer();
    await registry.configure([
      'targets:\n',
      `targets:
  service:
    type: scim
    url: ${server.url}
    auth: { type: bearer, token: ${server.token} }
    timeout: 3s
    guard: { removals: 100%, changes: 100% }
    entities:
      person:
        resource: User
        id: "{uid}"
        match: { externalId: id }
        attributes:
          externalId: { from: id }
          name.familyName: "{surname}"
          name.givenName: "{given}"
          emails: { from: emails }
          password: { from: password, secret: true, policy: initial }
        deprovision: [ disable, { after: 90d, do: delete } ]
        removeAfter: 300ms
      team:
        resource: Group
        id: "{name}"
        attributes:
          externalId: { from: id }
          members: { ref: person, from: members }
        deprovision: delete
        removeAfter: 300ms
`,
    ]);
    await registry.apply();
    await registry.start();
  });
  afterAll(async () => {
    await registry.close();
    await server.close();
  });
  beforeEach(async () => {
    await query('truncate registry.person, registry.email, registry.team, registry.member');
    await registry.calm();
    await query(`update staffetta.link set absent_since = absent_since - interval '100 days' where target = 'service'`);
    await query('select staffetta.enqueue_steps()');
    await registry.calm();
    expect([server.users(), server.groups()]).toEqual([[], []]);
    server.asked.length = 0;
  });

  test('has who comes, changes, is renamed, is disabled, returns, and goes', async () => {
    await query(`insert into registry.person (id, uid, given, password) values (1, 'anna', 'Anna', 'hush')`);
    await query(`insert into registry.email values (1, 'a@x'), (1, 'b@x')`);
    await registry.calm();
    const { id } = user(1) ?? {};
    expect(user(1)).toMatchObject({
      userName: 'anna',
      active: true,
      name: { familyName: 'Rossi', givenName: 'Anna' },
      emails: [{ value: 'a@x' }, { value: 'b@x' }],
      password: 'hush',
    });
    await query(`update registry.person set uid = 'anna.rossi', given = null`);
    await registry.calm();
    expect(user(1)).toMatchObject({ id, userName: 'anna.rossi', name: { familyName: 'Rossi' } });
    expect(user(1)?.name).not.toHaveProperty('givenName');
    await query(`update registry.person set hidden = true`);
    await registry.calm();
    expect(user(1)).toMatchObject({ id, active: false });
    await query(`update registry.person set hidden = false`);
    await registry.calm();
    expect(user(1)).toMatchObject({ id, active: true });
    expect(JSON.stringify(await query('select * from staffetta.journal, staffetta.link'))).not.toContain('hush');
  });

  test('is told nothing where nothing has changed, also on a forced replay', async () => {
    await query(`insert into registry.person (id, uid) values (1, 'anna'), (2, 'bruno')`);
    await query(`insert into registry.email values (1, 'a@x')`);
    await query(`insert into registry.team values (1, 'anna')`);
    await query('insert into registry.member values (1, 1)');
    await registry.calm();
    expect(members(1)).toEqual([1]);
    server.asked.length = 0;
    await query(`update registry.person set surname = surname`);
    await query(`select staffetta.replay('person', '1'), staffetta.replay('team', '1')`);
    await registry.calm();
    expect(writes()).toEqual([]);
    expect(server.asked.length).toBeGreaterThan(0);
  });

  test('has members under the ids that it gave them, whoever is renamed and whoever comes later', async () => {
    await query(`insert into registry.team values (1, 'choir')`);
    await query('insert into registry.member values (1, 1), (1, 2), (1, 3)');
    await query(`insert into registry.person (id, uid) values (1, 'anna'), (2, 'bruno')`);
    await registry.calm();
    expect(members(1)).toEqual([1, 2]);
    await query(`insert into registry.person (id, uid) values (3, 'carla')`);
    await query(`update registry.person set uid = 'bruna' where id = 2`);
    await query('delete from registry.member where person_id = 1');
    await registry.calm();
    expect(members(1)).toEqual([2, 3]);
    await query('delete from registry.member');
    await registry.calm();
    expect(members(1)).toEqual([]);
    await query('insert into registry.member values (1, 1)');
    await registry.calm();
    expect(members(1)).toEqual([1]);
  });

  test('has swapped names swapped', async () => {
    await query(`insert into registry.person (id, uid) values (1, 'anna'), (2, 'bruno')`);
    await registry.calm();
    await query(`update registry.person set uid = case id when 1 then 'bruno' else 'anna' end`);
    await registry.calm();
    expect([user(1), user(2)]).toMatchObject([{ userName: 'bruno' }, { userName: 'anna' }]);
  });

  test('keeps an account that it had already, which is ours from then on', async () => {
    const { id } = server.put('User', { userName: 'a.rossi', externalId: '1', nickName: 'Annie' });
    await query(`insert into registry.person (id, uid) values (1, 'anna')`);
    await registry.calm();
    expect(server.users()).toMatchObject([{ id, userName: 'anna', nickName: 'Annie', name: { familyName: 'Rossi' } }]);
  });

  test('that loses answers ends with each once', async () => {
    for (const [id, uid] of [
      [1, 'anna'],
      [2, 'bruno'],
    ] as const) {
      server.behave('lost create');
      await query('insert into registry.person (id, uid) values ($1, $2)', [id, uid]);
      await registry.calm();
    }
    expect(
      server
        .users()
        .map(({ userName }) => userName)
        .toSorted(),
    ).toEqual(['anna', 'bruno']);
    server.behave('lost change');
    await query(`update registry.person set surname = 'Bianchi'`);
    await registry.calm();
    expect([user(1), user(2)]).toMatchObject([
      { name: { familyName: 'Bianchi' } },
      { name: { familyName: 'Bianchi' } },
    ]);
  });

  test('from which somebody removed an account gets it again', async () => {
    await query(`insert into registry.person (id, uid) values (1, 'anna')`);
    await query(`insert into registry.team values (1, 'choir')`);
    await query('insert into registry.member values (1, 1)');
    await registry.calm();
    const { id = '' } = user(1) ?? {};
    server.drop(id);
    await query(`update registry.person set surname = 'Bianchi'`);
    await registry.calm();
    expect(user(1)).toMatchObject({ userName: 'anna', name: { familyName: 'Bianchi' } });
    expect(user(1)?.id).not.toBe(id);
    expect(members(1)).toEqual([1]);
  });

  test('has its drift found and repaired by a reconcile, page by page', async () => {
    await query(`insert into registry.person (id, uid) select n, 'person' || n from generate_series(1, 130) n`);
    await registry.calm();
    const [changed, gone] = [user(7), user(8)];
    server.put('User', { ...changed, name: { familyName: 'Nobody' } }, changed?.id);
    server.drop(gone?.id ?? '');
    const { printed, ended } = registry.spawn('reconcile', 'service', '--repair', '--json');
    expect([await ended, printed.stderr]).toEqual([0, '']);
    await registry.calm();
    expect(user(7)).toMatchObject({ id: changed?.id, name: { familyName: 'Rossi' } });
    expect(user(8)).toMatchObject({ userName: 'person8' });
    expect(server.users()).toHaveLength(130);
  });

  test('has accounts adopted, many at once', async () => {
    await query(`select staffetta.pause('service', 'test')`);
    for (let n = 1; n <= 30; n++) server.put('User', { userName: `old${n}`, externalId: String(n) });
    const before = server.users().map(({ id }) => id);
    await query(`insert into registry.person (id, uid) select n, 'person' || n from generate_series(1, 30) n`);
    const { printed, ended } = registry.spawn('adopt', 'service', '--yes', '--json');
    expect([await ended, printed.stderr]).toEqual([0, '']);
    await query(`select staffetta.resume('service')`);
    await registry.calm();
    expect(server.users().map(({ id }) => id)).toEqual(before);
    expect(user(30)).toMatchObject({ userName: 'person30', name: { familyName: 'Rossi' } });
    expect(writes()).not.toContain('POST');
  });
});
