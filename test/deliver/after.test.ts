import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Mapping } from '../../src/deliver/plan.ts';
import type { Destination } from '../../src/deliver/route.ts';
import { refusal, ScriptedTarget } from './scripted-target.ts';
import { createStage, type Stage } from './stage.ts';

/** The mailboxes come after the directory. */
let stage: Stage;
let mail: ScriptedTarget;
beforeAll(async () => {
  stage = await createStage();
  await stage.query(`
    create table registry.without_entry (id bigint primary key);
    insert into staffetta.target (target, type, admitted) values ('mail', 'ldap', true);
    insert into staffetta.route (target, entity) values ('mail', 'person')`);
});
beforeEach(async () => {
  await stage.clear();
  await stage.query(`truncate registry.without_entry;
    create or replace view staffetta.desired_mail_person as select * from staffetta.desired_directory_person_rows();
    create or replace view staffetta.desired_directory_person as
      select * from staffetta.desired_directory_person_rows() d where d.key not in (select id from registry.without_entry);
    update staffetta.route set deprovision = '[{"do": "delete", "after": 0}]'`);
  mail = new ScriptedTarget();
});
afterAll(() => stage.close());

const bigint = (...targets: readonly string[]) => targets.map((target) => ({ target, keyType: 'bigint' }));

function destinationOf(name: 'directory' | 'mail', mapping: Partial<Mapping> = {}, behind = ['mail']): Destination {
  const standard = stage.destination({}, { person: mapping });
  const order =
    name === 'mail' ? { before: bigint('directory'), behind: [] } : { before: [], behind: bigint(...behind) };
  const routes = [...standard.routes].filter(([entity]) => entity === 'person');
  return {
    ...standard,
    name,
    target: name === 'mail' ? mail : stage.target,
    routes: new Map(routes.map(([entity, route]) => [entity, { ...route, target: name, ...order }])),
  };
}

const pump = (name: 'directory' | 'mail', mapping?: Partial<Mapping>) =>
  stage.pump(destinationOf(name, mapping)).run({ probeNow: true });

/** An event of these people, on both targets. */
async function tell(...ids: readonly number[]) {
  await stage.query(
    `insert into staffetta.delivery as d (target, entity, key, last_cause)
     select t, 'person', k, 'test' from unnest('{directory,mail}'::text[]) t, unnest($1::text[]) k order by t collate "C", k collate "C"
     on conflict (target, entity, key) do update set rev = d.rev + 1, due_at = least(d.due_at, clock_timestamp()),
       state = case when d.state in ('held', 'parked') then 'pending' else d.state end`,
    [ids.map(String)],
  );
}
const owed = async () =>
  (
    await stage.query<{ line: string }>(
      `select concat_ws(' ', target, key, state, case when due_at <= clock_timestamp() then 'now' end) as line from staffetta.delivery order by target, key`,
    )
  ).map(({ line }) => line);
const said = async (target: string) =>
  (
    await stage.query<{ error: string; why: string }>('select error, why from staffetta.backlog where target = $1', [
      target,
    ])
  )[0];
const leave = async (id: number) => {
  await stage.query('delete from registry.person where id = $1', [id]);
  await tell(id);
};
/** People with an entry and a mailbox. */
async function people(...ids: readonly number[]) {
  for (const id of ids) await stage.addPerson(id, `p${id}`);
  await tell(...ids);
  await pump('directory');
  await pump('mail');
  expect(await owed()).toEqual([]);
}

describe('an entry that comes after another', () => {
  test('waits until that is there, is told at once, and is sent then', async () => {
    await stage.addPerson(1, 'ada');
    await stage.addPerson(2, 'bob');
    await tell(1, 2);
    await pump('mail');
    expect([mail.ids, await owed()]).toEqual([
      [],
      ['directory 1 pending now', 'directory 2 pending now', 'mail 1 waiting', 'mail 2 waiting'],
    ]);
    const message = 'person 1 is not on target directory yet, which comes first';
    expect(await said('mail')).toMatchObject({ error: message, why: message });
    await pump('directory');
    expect(await owed()).toEqual(['mail 1 pending now', 'mail 2 pending now']);
    await pump('mail');
    expect([mail.ids, await owed()]).toEqual([['uid=ada,ou=people', 'uid=bob,ou=people'], []]);
  });

  test('does not wait where the key is not wanted, and nothing is owed, on the other target', async () => {
    await stage.addPerson(1, 'ada');
    await stage.query('insert into registry.without_entry values (1)');
    await tell(1);
    await pump('mail');
    expect((await said('mail'))?.error).toBe('person 1 is about to leave target directory, which comes first');
    await pump('directory');
    await pump('mail');
    expect([stage.target.ids, mail.ids, await owed()]).toEqual([[], ['uid=ada,ou=people'], []]);
  });

  test('is brought up to date whatever the other target does, once it stands', async () => {
    await people(1);
    stage.target.onChange = () => {
      throw refusal('unavailable');
    };
    await stage.query(`update registry.person set name = 'New' where id = 1`);
    await tell(1);
    await pump('directory');
    await pump('mail');
    expect(mail.entry('uid=p1,ou=people')).toMatchObject({ cn: ['New'] });
  });

  test('fails while the other is parked, saying so, and is tried when that is settled', async () => {
    await stage.addPerson(1, 'ada');
    await tell(1);
    await pump('mail');
    stage.target.onChange = () => {
      throw refusal('rejected', 'no such school');
    };
    await pump('directory');
    expect(await owed()).toEqual(
      ['directory 1 parked', 'mail 1 pending now'].map((line) => expect.stringContaining(line)),
    );
    await pump('mail');
    expect(await said('mail')).toMatchObject({ error: 'person 1 is parked on target directory: no such school' });
    expect(
      await stage.query(`select failure, message, what_to_do from staffetta.failures where target = 'mail'`),
    ).toEqual([
      {
        failure: 'parked',
        message: 'person 1 is parked on target directory: no such school',
        what_to_do:
          'Mend what keeps it on target directory (staffetta explain person 1 says what); then it goes on by itself.',
      },
    ]);
    stage.target.onChange = (perform) => perform();
    await stage.query(`select * from staffetta.retry('directory', 'person', '{1}')`);
    await pump('directory');
    await pump('mail');
    expect([mail.ids, await owed()]).toEqual([['uid=ada,ou=people'], []]);
  });

  test('says why nothing is sent to the target that comes first', async () => {
    await stage.query(`update staffetta.target set state = 'paused', reason = 'the move' where target = 'directory'`);
    await stage.addPerson(1, 'ada');
    await tell(1);
    await pump('mail');
    expect((await said('mail'))?.error).toBe(
      'person 1 is not on target directory yet, which comes first (that target is paused: the move)',
    );
  });

  test('waits where the desired state there cannot be read, of one key or of all', async () => {
    await people(2);
    await stage.addPerson(1, 'ada', { room: 0 });
    await stage.addPerson(3, 'cyd');
    await stage.query(
      `insert into staffetta.link (target, entity, key, remote_id, attributes) values ('directory', 'person', '3', 'uid=cyd,ou=people', '{}')`,
    );
    await stage.query(`
      create or replace view staffetta.desired_mail_person as select v.id as key, false as released, 'uid=' || v.uid as remote_id, '{}'::jsonb as attributes,
        null::jsonb as disable, null::jsonb as match, 'f' as fingerprint, '{}' as open, null::text as secrets, null::text as hashes from registry.v_person v`);
    await stage.query(`
      create or replace view staffetta.desired_directory_person as select * from staffetta.desired_directory_person_rows() d where d.attributes is not null`);
    await tell(1, 3);
    await pump('mail');
    expect(mail.ids).toEqual(['uid=cyd', 'uid=p2,ou=people']);
    const message =
      'person 1 is not on target directory yet, which comes first (its desired state there cannot be read)';
    expect((await said('mail'))?.error).toBe(message);
    await stage.query('drop view staffetta.desired_directory_person');
    await stage.query(`update staffetta.delivery set state = 'pending', error = null, due_at = now()`);
    await pump('mail');
    expect((await said('mail'))?.error).toBe(message);
  });

  test('asks nothing of the other target while it is only observed', async () => {
    await stage.query(`update staffetta.target set mode = 'observe' where target = 'mail'`);
    await stage.addPerson(1, 'ada');
    await tell(1);
    await pump('mail');
    await stage.query(`update staffetta.target set mode = 'live' where target = 'mail'`);
    expect(await owed()).toEqual(['directory 1 pending now']);
  });

  test('looks again where the other was settled while it was about to wait', async () => {
    await stage.addPerson(1, 'ada');
    await tell(1);
    const database = stage.interpose({
      before: async (statement) => {
        if (statement === 'settle') await pump('directory');
      },
    });
    const claim = await stage.claim(100, 'mail');
    await stage.deliver(claim, destinationOf('mail'), undefined, database);
    expect(await owed()).toEqual(['mail 1 pending now']);
  });
});

describe('removals run in reverse', () => {
  test('an entry goes when those that come after it are gone', async () => {
    await people(1);
    await leave(1);
    await pump('directory');
    expect([stage.target.ids, (await said('directory'))?.error]).toEqual([
      ['uid=p1,ou=people'],
      'person 1 is still on target mail, which comes after this one',
    ]);
    await pump('mail');
    expect(await owed()).toEqual(['directory 1 pending now']);
    await pump('directory');
    expect([stage.target.ids, mail.ids, await owed()]).toEqual([[], [], []]);
  });

  test('looks again where it would wait for yet another target now', async () => {
    await people(1);
    await stage.query(`
      insert into staffetta.target (target, type, admitted) values ('web', 'ldap', true);
      insert into staffetta.route (target, entity) values ('web', 'person');
      insert into staffetta.delivery (target, entity, key, last_cause) values ('web', 'person', '1', 'test');
      create view staffetta.desired_web_person as select * from staffetta.desired_directory_person_rows()`);
    await leave(1);
    const database = stage.interpose({
      before: async (statement) => {
        if (statement === 'settle') await pump('mail');
      },
    });
    const claim = await stage.claim();
    await stage.deliver(claim, destinationOf('directory', {}, ['mail', 'web']), undefined, database);
    const looksAgain = await owed();
    await stage.query(`delete from staffetta.target where target = 'web'; drop view staffetta.desired_web_person`);
    expect(looksAgain).toEqual(['directory 1 pending now', 'web 1 pending now']);
  });

  test('an entry goes when those that come after it went over to another key', async () => {
    await people(1);
    await stage.query('update registry.person set id = 2 where id = 1; insert into registry.without_entry values (2)');
    await tell(1, 2);
    await pump('directory');
    expect(await owed()).toEqual(['directory 1 waiting', 'mail 1 pending now', 'mail 2 pending now']);
    await pump('mail');
    expect([mail.ids, await owed()]).toEqual([['uid=p1,ou=people'], ['directory 1 pending now']]);
  });

  test('an entry that comes after another goes, though that was never made', async () => {
    await people(1);
    await stage.query(`delete from staffetta.link where target = 'directory'`);
    await leave(1);
    await stage.query(`update staffetta.delivery set state = 'parked' where target = 'directory'`);
    await pump('mail');
    expect(mail.ids).toEqual([]);
  });

  test('does not wait for an entry that is kept there, or wanted all the same', async () => {
    await people(1, 2, 3);
    await stage.query(`update staffetta.route set deprovision = '[]' where target = 'mail'`);
    await stage.query('insert into registry.without_entry values (2)');
    await leave(1);
    await tell(2);
    await pump('mail', { deprovision: [] });
    await pump('directory');
    expect([stage.target.ids, mail.ids.length]).toEqual([['uid=p3,ou=people'], 3]);
  });

  test('does not wait for an entry that an administrator has had kept there', async () => {
    await people(1);
    await leave(1);
    await stage.query(`delete from staffetta.delivery where target = 'mail'`);
    await stage.query(`update staffetta.link set state = 'kept', spared = true where target = 'mail'`);
    await pump('directory');
    expect([stage.target.ids, mail.ids, await owed()]).toEqual([[], ['uid=p1,ou=people'], []]);
  });

  test('waits for a step that is far away, and looks again when that is due', async () => {
    await people(1);
    const steps = [
      { do: 'disable' as const, after: 0 },
      { do: 'delete' as const, after: 7_776_000 },
    ];
    await stage.query(`update staffetta.route set deprovision = $1 where target = 'mail'`, [JSON.stringify(steps)]);
    await leave(1);
    await pump('mail', { deprovision: steps });
    await pump('directory');
    expect(stage.target.ids).toEqual(['uid=p1,ou=people']);
    expect(
      await stage.query(
        `select due_at > clock_timestamp() + interval '89 days' as later, absent_since is not null as absent from staffetta.delivery where target = 'directory'`,
      ),
    ).toEqual([{ later: true, absent: true }]);
  });

  test('a removal that fails there fails here, saying so', async () => {
    await people(1);
    mail.onChange = () => {
      throw refusal('rejected', 'the mailbox is on hold');
    };
    await leave(1);
    await pump('mail');
    await pump('directory');
    expect((await said('directory'))?.error).toBe('person 1 is parked on target mail: the mailbox is on hold');
    expect(stage.target.ids).toEqual(['uid=p1,ou=people']);
  });

  test('the guard is not asked for what waits', async () => {
    await people(1);
    await stage.query(`update staffetta.target set guard_removals = 0.5, guard_floor = 5 where target = 'directory'`);
    await stage.addPerson(9, 'zoe');
    await leave(1);
    await pump('directory');
    expect(await stage.query('select * from staffetta.guard_spent')).toEqual([]);
  });
});
