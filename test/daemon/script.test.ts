/** People carried to a script target: a program of the administrator's writes one file per identity. */
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createRegistry, type Registry } from '../setup/registry.ts';
import { until } from '../setup/until.ts';
import { type Backyard, configOf, createBackyard } from '../targets/script/bench.ts';

/** Keeps a file per identity, with the actions it was told of in a journal of its own. A room says how it fails. */
const program = `#!/usr/bin/env python3
import json, os, sys
out = os.environ["OUT"]
document = json.load(sys.stdin)
payload = document["payload"]
action = sys.argv[1]
file = os.path.join(out, str(document["concernedTo"]) + ".json")
def say(status, message):
    print(json.dumps({"status": status, "message": message, "data": {"file": file}}))
    sys.exit(status)
identity = payload["identity"]["identity"] if action == "update" else payload.get("after", payload)
room = identity["inetOrgPerson"].get("departmentNumber", "")
if action in room.split() or room == "down" and not os.path.exists(os.path.join(out, "up")):
    say(4 if room == "down" else 1, "refused " + action)
if room == "wrong": say(32, "no room")
if action == "delete":
    if os.path.exists(file): os.remove(file)
elif action == "update":
    with open(file + ".new", "w") as new: json.dump(identity, new)
    os.replace(file + ".new", file)
with open(os.path.join(out, "told"), "a") as told: told.write(f"{action} {document['concernedTo']} {identity['inetOrgPerson']['uid']}\\n")
say(0, action + " done")
`;

const actions = ['update', 'delete', 'enable', 'disable', 'lifecycle_changed'];

describe('a script target', () => {
  let registry: Registry;
  let yard: Backyard;
  let out: string;
  const query = (sql: string, values?: readonly unknown[]) => registry.query(sql, values);
  const told = async () => (await readFile(join(out, 'told'), 'utf8').catch(() => '')).split('\n').slice(0, -1);
  const files = async () => (await readdir(out)).filter((name) => name.endsWith('.json')).sort();
  const file = async (id: number): Promise<unknown> => JSON.parse(await readFile(join(out, `${id}.json`), 'utf8'));
  const delivery = async () =>
    (
      await query(`select state, attempts, unsure, error_kind, error from staffetta.delivery where target = 'scripts'`)
    )[0];

  beforeAll(async () => {
    registry = await createRegistry();
    const steps = actions.map(
      (action) => `  IDENTITY_${action.toUpperCase()}: { script: act ${action}, onError: stop }`,
    );
    yard = await createBackyard({
      '10files/config.yml': `${configOf('files', 'act', [])}${steps.join('\n')}\n`,
      '10files/bin/act': program,
      'out/readme': '',
    });
    out = join(yard.folder, 'out');
    await query(`
      create table registry.account (number int generated always as identity, person_id bigint, state int, data jsonb);
      create function registry.told(entity text, key text, target text, state text, data jsonb) returns void language sql as $$
        insert into registry.account (person_id, state, data) values (key::bigint, (data ->> 'state')::int, data) $$;
      alter table registry.person add active boolean not null default true, add stage int not null default 1;
      create or replace view registry.v_person as
        select p.id, p.uid, p.given, p.surname, p.room, p.password, p.photo, p.area, p.hidden,
          array(select e.address from registry.email e where e.person_id = p.id order by 1) as emails, p.active, p.stage
        from registry.person p where not hidden;`);
    await registry.configure([
      'targets:\n',
      `targets:
  scripts:
    type: script
    backends: ${yard.folder}
    env: { OUT: ${out} }
    timeout: 2s
    guard: { removals: 100%, changes: 100% }
    entities:
      person:
        id: "{id}"
        attributes:
          enabled: { from: active }
          lifecycle: { from: stage, as: number }
          inetOrgPerson.uid: "{uid}"
          inetOrgPerson.cn: "{given?} {surname}"
          inetOrgPerson.departmentNumber: { from: room }
          inetOrgPerson.userPassword: { from: password, secret: true }
          additionalFields.attributes.mail.addresses: { from: emails, as: list }
        writeBack: registry.told
        deprovision: [ disable, { after: 90d, do: delete } ]
        removeAfter: 300ms
`,
    ]);
    await registry.apply();
    await registry.start();
  });
  afterAll(async () => {
    await registry.close();
    await yard.close();
  });
  beforeEach(async () => {
    await query('truncate registry.person, registry.email');
    await registry.calm();
    await query(`update staffetta.link set absent_since = absent_since - interval '100 days' where target = 'scripts'`);
    await query('select staffetta.enqueue_steps()');
    await registry.calm();
    await Promise.all((await readdir(out)).map((name) => rm(join(out, name))));
    await query('truncate staffetta.journal');
  });

  test('has what each of its backends said in the journal, beside what became of the change', async () => {
    const rows = () =>
      query(
        `select operation, result, module, code, message from staffetta.journal where target = 'scripts' order by at, module nulls first, message`,
      );
    await query(`insert into registry.person (id, uid) values (1, 'anna')`);
    await registry.calm();
    expect(await rows()).toEqual([
      { operation: 'create', result: 'done', module: null, code: null, message: null },
      { operation: 'create', result: 'passed', module: 'files', code: 0, message: 'IDENTITY_UPDATE: update done' },
    ]);
    await query(`truncate staffetta.journal; update registry.person set room = 'wrong'`);
    await until(delivery, (one) => one?.state === 'parked');
    expect(await rows()).toMatchObject([
      { operation: 'update', result: 'parked', module: null },
      { operation: 'update', result: 'failed', module: 'files', code: 32, message: 'IDENTITY_UPDATE: no room' },
    ]);
  });

  test('is told who comes, changes, is disabled, leaves and is removed, each once', async () => {
    await query(`insert into registry.person (id, uid, given, password) values (1, 'anna', 'Anna', '{x}hush')`);
    await query(`insert into registry.email values (1, 'a@x'), (1, 'b@x')`);
    await registry.calm();
    expect(await file(1)).toMatchObject({
      _id: '1',
      lifecycle: 1,
      inetOrgPerson: { uid: 'anna', cn: 'Anna Rossi', mail: '', userPassword: '{x}hush' },
      additionalFields: { attributes: { mail: { addresses: ['a@x', 'b@x'] } } },
    });
    await query(`update registry.person set stage = 2, active = false`);
    await registry.calm();
    expect((await told()).slice(-3)).toEqual(['update 1 anna', 'disable 1 anna', 'lifecycle_changed 1 anna']);
    await query(`update registry.person set active = true`);
    await registry.calm();
    expect((await told()).slice(-2)).toEqual(['update 1 anna', 'enable 1 anna']);
    await query('delete from registry.person');
    await registry.calm();
    expect((await told()).at(-1)).toBe('disable 1 anna');
    expect(await files()).toEqual(['1.json']);
    await query(`update staffetta.link set absent_since = absent_since - interval '91 days' where target = 'scripts'`);
    await query('select staffetta.enqueue_steps()');
    await registry.calm();
    expect((await told()).at(-1)).toBe('delete 1 anna');
    expect(await files()).toEqual([]);
    const said = JSON.stringify(await query('select * from staffetta.journal'));
    expect(said).not.toContain('hush');
  });

  test('is told nothing where nothing has changed, and all of it on a forced replay', async () => {
    await query(`insert into registry.person (id, uid) values (1, 'anna')`);
    await registry.calm();
    const before = await told();
    await query(`update registry.person set surname = surname`);
    await registry.calm();
    expect(await told()).toEqual(before);
    await query(`select staffetta.replay('person', '1')`);
    await registry.calm();
    expect((await told()).slice(before.length)).toEqual(['update 1 anna', 'enable 1 anna']);
  });

  test('has the database told its state as Sesame numbers it, and what the programs said', async () => {
    await query('truncate registry.account');
    await query(`insert into registry.person (id, uid, room, password) values (1, 'anna', 'update', 'hush')`);
    await until(delivery, (row) => row?.attempts >= 1);
    await query(`update registry.person set room = 'wrong'`);
    await until(delivery, (row) => row?.state === 'parked');
    await query(`update registry.person set room = '12'`);
    await registry.calm();
    const answer = { backend: 'files', action: 'IDENTITY_UPDATE' };
    const file = join(out, '1.json');
    const said = await query('select state, data from registry.account order by number');
    expect(said).toMatchObject([
      { state: 50, data: { message: 'refused update', backends: [{ ...answer, status: 1, data: { file } }] } },
      { state: -3, data: { message: 'no room', operation: 'create', data: { file } } },
      { state: 99, data: { message: 'update done', backends: [{ ...answer, status: 0 }], data: { file } } },
    ]);
    expect(JSON.stringify(said)).not.toContain('hush');
  });

  test('that returns is enabled again', async () => {
    await query(`insert into registry.person (id, uid) values (1, 'anna')`);
    await registry.calm();
    await query(`delete from registry.person`);
    await registry.calm();
    await query(`insert into registry.person (id, uid) values (1, 'anna')`);
    await registry.calm();
    expect((await told()).slice(-3)).toEqual(['disable 1 anna', 'update 1 anna', 'enable 1 anna']);
  });

  test('that fails for one is tried again, then parked, with its words; the others go through', async () => {
    await query(`update staffetta.parameter set number = 3 where code = 'RETRY_ATTEMPTS'`);
    await query(`insert into registry.person (id, uid, room) values (1, 'anna', 'update'), (2, 'berta', '12')`);
    await until(delivery, (row) => row?.state === 'parked');
    expect(await delivery()).toMatchObject({
      attempts: 3,
      error_kind: 'unknown',
      error: 'files, IDENTITY_UPDATE: refused update',
    });
    expect(await files()).toEqual(['2.json']);
    await query(`update registry.person set room = '13'`);
    await registry.calm();
    expect(await files()).toEqual(['1.json', '2.json']);
  });

  test('of which a later action fails is told all of it again', async () => {
    await query(`insert into registry.person (id, uid, room, active) values (1, 'anna', 'disable', false)`);
    await until(delivery, (row) => row?.state === 'parked' || row?.attempts >= 1);
    await query(`update registry.person set room = '12'`);
    await registry.calm();
    expect((await told()).slice(-2)).toEqual(['update 1 anna', 'disable 1 anna']);
  });

  test('whose system is away waits for it, and nobody is parked', async () => {
    await query(`insert into registry.person (id, uid, room) values (1, 'anna', 'down')`);
    const target = await until(
      async () => (await query(`select state, reason from staffetta.target where target = 'scripts'`))[0],
      (row) => row?.state === 'waiting',
    );
    expect(target?.reason).toBe('files, IDENTITY_UPDATE: refused update');
    await yard.write({ 'out/up': '' });
    await registry.calm();
    expect(await files()).toEqual(['1.json']);
  });

  test('is never compared, for it cannot be read; what may be lost is sent anew', async () => {
    await query(`insert into registry.person (id, uid) values (1, 'anna')`);
    await registry.calm();
    await query(`select graphile_worker.add_job('reconcile', '{"all": true}')`);
    const compared = () => query('select distinct target from staffetta.reconcile_run where finished_at is not null');
    await until(compared, ({ length }) => length > 0);
    expect(await told()).toEqual(['update 1 anna']);
    await query(`update staffetta.route set reconcile = 1 where target = 'scripts'; select staffetta.sweep()`);
    await until(told, ({ length }) => length === 3);
    await registry.calm();
    expect(await told()).toEqual(['update 1 anna', 'update 1 anna', 'enable 1 anna']);
    expect(await query('select from staffetta.route where reconcile > 0')).toEqual([]);
    expect(await compared()).toEqual([{ target: 'directory' }]);
  });
});
