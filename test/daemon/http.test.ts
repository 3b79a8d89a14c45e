/** People and teams carried to a service that is asked over HTTP, through whatever it does to us. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createRegistry, type Registry } from '../setup/registry.ts';
import { until } from '../setup/until.ts';
import { createRestService, type RestService } from '../targets/http/rest-service.ts';

describe('an http target', () => {
  let registry: Registry;
  let service: RestService;
  const query = (sql: string, values?: readonly unknown[]) => registry.query(sql, values);
  const users = () => [...service.users.values()].map(({ userName }) => userName).sort();
  const team = () => [...service.groups.values()][0];
  const writes = () => service.server.asked.filter(({ method }) => method !== 'GET');
  const idOf = (name: string) => service.user(name)?.id;

  beforeAll(async () => {
    registry = await createRegistry();
    service = await createRestService();
    await registry.configure([
      'targets:\n',
      `targets:
  service:
    type: http
    url: ${service.server.url}/v1
    timeout: 2s
    refersBy: stable id
    guard: { removals: 100%, changes: 100% }
    entities:
      person:
        id: "{uid}"
        idPath: userName
        stableId: /id
        attributes:
          userName: "{uid}"
          name.family: { from: surname }
          name.given: { from: given }
          mails: { from: emails, as: list }
          word: { from: password, secret: true }
        operations:
          create: { path: /users }
          update: { path: "/users/{stableId}" }
          remove: { path: "/users/{stableId}" }
          read: { path: "/users/{stableId}" }
          find: { path: /users, query: { userName: "{userName}" }, items: /items }
          list: { path: /users, items: /items, total: /total, pages: { number: page } }
        match: { userName: uid }
        deprovision: delete
        removeAfter: 300ms
      team:
        id: "{name}"
        idPath: name
        stableId: /id
        attributes:
          name: "{name}"
          members: { ref: person, from: members }
        operations:
          create: { path: /groups }
          update: { path: "/groups/{stableId}" }
          remove: { path: "/groups/{stableId}" }
          read: { path: "/groups/{stableId}" }
          find: { path: /groups, query: { name: "{name}" }, items: /items }
          list: { path: /groups, items: /items, total: /total, pages: { number: page } }
        deprovision: delete
        removeAfter: 300ms
`,
    ]);
    await registry.apply();
    await query('update staffetta.target set admitted = true');
    await registry.start();
  });
  afterAll(async () => {
    await registry.close();
    await service.server.close();
  });
  beforeEach(async () => {
    service.before = () => undefined;
    service.after = (_, reply) => reply;
    await query('truncate registry.team, registry.person, registry.member, registry.email');
    await registry.calm();
    expect([users(), service.groups.size]).toEqual([[], 0]);
    service.server.asked.length = 0;
  });

  test('has who comes, changes, is renamed and leaves', async () => {
    await query(`insert into registry.person (id, uid, given, password) values (1, 'anna', 'Anna', 'open sesame')`);
    await query(`insert into registry.email values (1, 'a@x'), (1, 'b@x')`);
    await registry.calm();
    expect(service.user('anna')).toEqual({
      ...{ id: expect.any(String), userName: 'anna', name: { family: 'Rossi', given: 'Anna' } },
      ...{ mails: ['a@x', 'b@x'], word: 'open sesame' },
    });
    const id = idOf('anna');
    await query(`update registry.person set uid = 'anne', given = null`);
    await registry.calm();
    expect(service.user('anne')).toMatchObject({ id, name: { family: 'Rossi' } });
    expect(users()).toEqual(['anne']);
    await query('delete from registry.person');
    await registry.calm();
    expect(users()).toEqual([]);
  });

  test('has two people swap their names', async () => {
    await query(`insert into registry.person (id, uid, given) values (1, 'anna', 'One'), (2, 'bea', 'Two')`);
    await registry.calm();
    await query(`update registry.person set uid = case id when 1 then 'bea' else 'anna' end`);
    await registry.calm();
    expect(service.user('anna')).toMatchObject({ name: { given: 'Two' } });
    expect(service.user('bea')).toMatchObject({ name: { given: 'One' } });
  });

  test('has members by their stable ids, whoever is called what', async () => {
    await query(`insert into registry.person (id, uid) values (1, 'anna'), (2, 'bea')`);
    await query(`insert into registry.team values (1, 'staff'); insert into registry.member values (1, 1), (1, 2)`);
    await registry.calm();
    expect(team()).toMatchObject({ name: 'staff', members: expect.arrayContaining([idOf('anna'), idOf('bea')]) });
    await query(
      `update registry.person set uid = 'beata' where id = 2; delete from registry.member where person_id = 1`,
    );
    await registry.calm();
    expect(team()).toMatchObject({ members: [idOf('beata')] });
    await query('delete from registry.member');
    await registry.calm();
    expect(team()?.members).toBeUndefined();
  });

  test('has nobody twice whose answers were lost', async () => {
    let cut = 0;
    service.after = (_, reply) => (reply.status === 201 && cut++ < 3 ? 'cut' : reply);
    await query(`insert into registry.person (id, uid) select n, 'p' || n from generate_series(1, 12) n`);
    await registry.calm();
    expect(cut).toBeGreaterThan(3);
    expect(users()).toEqual(Array.from({ length: 12 }, (_, at) => `p${at + 1}`).sort());
  });

  test('waits as long as the service says, and then goes on', async () => {
    let asked = 0;
    service.before = ({ method }) =>
      method === 'POST' && asked++ < 2 ? { status: 429, headers: { 'retry-after': '1' } } : undefined;
    await query(`insert into registry.person (id, uid) values (1, 'anna')`);
    await registry.calm();
    expect(users()).toEqual(['anna']);
    expect(await query(`select * from staffetta.journal where target = 'service' and result = 'parked'`)).toEqual([]);
  });

  test('adopts who is there already, and parks whom it refuses', async () => {
    service.users.set('i-old', { id: 'i-old', userName: 'anna', name: { family: 'Other' } });
    service.before = ({ body }) => (body.includes('"bad"') ? { status: 422, body: 'bad is no name' } : undefined);
    await query(`insert into registry.person (id, uid) values (1, 'anna'), (2, 'bad'), (3, 'cy')`);
    await until(users, (names) => names.length === 2);
    const [parked] = await until(
      () => query(`select error_kind, error from staffetta.delivery where target = 'service' and state = 'parked'`),
      (rows) => rows.length === 1,
    );
    expect(parked).toMatchObject({ error_kind: 'rejected', error: expect.stringContaining('bad is no name') });
    expect(service.user('anna')).toMatchObject({ id: 'i-old', name: { family: 'Rossi' } });
    await query(`delete from registry.person where id = 2`);
    await registry.calm();
  });

  test('is repaired by a forced replay, which sends nothing where nothing is wrong', async () => {
    await query(`insert into registry.person (id, uid, given) values (1, 'anna', 'Anna'), (2, 'bea', 'Bea')`);
    await registry.calm();
    const anna = service.user('anna');
    service.users.set(String(anna?.id), { ...anna, id: String(anna?.id), name: { family: 'Wrong', given: 'Anna' } });
    service.users.delete(String(idOf('bea')));
    service.server.asked.length = 0;
    await query(`select staffetta.replay('person', array['1', '2'], 'service', 'test')`);
    await registry.calm();
    expect(service.user('anna')).toMatchObject({ name: { family: 'Rossi' } });
    expect(users()).toEqual(['anna', 'bea']);
    const sent = writes().length;
    await query(`select staffetta.replay('person', array['1', '2'], 'service', 'test')`);
    await registry.calm();
    expect(writes()).toHaveLength(sent);
  });

  test('is reconciled with what it holds', async () => {
    await query(`insert into registry.person (id, uid) select n, 'p' || n from generate_series(1, 8) n`);
    await query(`insert into registry.team values (1, 'staff'); insert into registry.member values (1, 1), (1, 2)`);
    await registry.calm();
    service.users.delete(String(idOf('p3')));
    const { child, ended, printed } = registry.spawn('reconcile', 'service', '--repair', '--json');
    await ended;
    expect([child.exitCode, printed.stderr]).toEqual([expect.any(Number), expect.not.stringContaining('rror')]);
    await registry.calm();
    expect(users()).toHaveLength(8);
    service.server.asked.length = 0;
    await registry.spawn('reconcile', 'service', '--repair').ended;
    await registry.calm();
    expect(writes()).toEqual([]);
  });
});
