/** Bad rows in one batch with good ones: each is parked by itself, with a sentence; everybody else goes through. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { reconcileCommand } from '../../src/commands/reconcile.ts';
import type { SlapdOptions } from '../../src/demo/slapd.ts';
import { runHere } from '../commands/run-here.ts';
import { createRegistry, type Registry } from '../setup/registry.ts';
import { until } from '../setup/until.ts';

let registry: Registry;
const query = (sql: string, values?: readonly unknown[]) => registry.query(sql, values);

/**
 * The registry, with columns nobody maps, a team's members that may fail, and notes, whose keys are text. In the view of
 * people, `room` makes trouble: 'bad' fails, 'twice' makes two rows, 'no key' makes one more, without a key.
 */
async function createBadRegistry(slapd: SlapdOptions = {}): Promise<Registry> {
  const made = await createRegistry({ slapd });
  await made.query(`
    alter table registry.person add column bio text;
    create table registry.note (code text, title text, body text);
    create view registry.v_note as select * from registry.note;
    drop view registry.v_person;
    create view registry.v_person as
      select p.id, p.uid, p.given, p.surname, case when p.room = 'bad' then (1 / (p.id - p.id))::text else p.room end as room,
        p.password, p.photo, p.area, p.hidden, p.bio, array(select e.address from registry.email e where e.person_id = p.id order by 1) as emails
      from registry.person p left join (values ('twice'), ('twice')) as v(room) on v.room = p.room
      where not p.hidden
      union all
      select null, 'nobody', p.given, p.surname, p.room, p.password, p.photo, p.area, p.hidden, p.bio, '{}' from registry.person p where p.room = 'no key';
    drop view registry.v_team;
    create view registry.v_team as
      select t.*, array(select m.person_id / (t.name <> 'bad')::int from registry.member m where m.team_id = t.id) as members from registry.team t`);
  await made.configure(
    ['targets:\n', '  note: { view: registry.v_note, key: code, sources: { registry.note: code } }\ntargets:\n'],
    [
      '      team:\n        dn',
      `      note:
        dn: "cn={title},ou=groups,\${LDAP_SUFFIX}"
        attributes: { objectClass: { values: [organizationalRole] }, cn: { from: title }, description: { from: body } }
        deprovision: delete
        removeAfter: 300ms
      team:\n        dn`,
    ],
  );
  await made.apply();
  await made.query('update staffetta.route set rescan = 0'); // there is nothing yet
  return made;
}
afterEach(() => registry.close());

/** Waits until nothing is left to do but what is parked. */
const calm = () =>
  until(
    () =>
      query(
        `select (select count(*) from staffetta.event)::int as events, (select sum(rescan) from staffetta.route)::int as rescans,
           (select count(*) from staffetta.delivery where state <> 'parked')::int as deliveries`,
      ),
    ([owed]) => owed?.events === 0 && owed.rescans === 0 && owed.deliveries === 0,
    { what: 'that all but the parked is done' },
  );
const failures = async () =>
  (await query(`select concat_ws(' ', failure, entity, left(key, 6)) as what, message from staffetta.failures`))
    .map(({ what, message }) => `${what}: ${message}`)
    .sort();
const notes = async () =>
  [...(await registry.directory.entries('(objectClass=organizationalRole)', 'cn')).values()].map(({ cn }) => cn).sort();

/** SQL for text of so many characters, times 32, that no index can compress. */
const text = (times: number) => `(select string_agg(md5(n::text), '') from generate_series(1, ${times}) n)`;

describe('in one batch', () => {
  beforeEach(async () => {
    registry = await createBadRegistry();
  });

  test('each bad row is parked with a sentence, and everybody else goes through', async () => {
    await query(`begin;
      insert into registry.person (id, uid) select n, 'good' || n from generate_series(1, 20) n;
      insert into registry.person (id, uid, room) values
        (21, 'raises', 'bad'), (22, null, null), (23, 'double', 'twice'), (24, 'large', repeat('x', 50000000)), (25, 'keyless', 'no key');
      insert into registry.person (id, uid, bio) values (26, 'unmapped', repeat('x', 50000000));
      insert into registry.person (id, uid) values (27, ${text(313)});
      insert into registry.team values (1, 'choir'), (2, 'bad'), (3, 'crew');
      insert into registry.member values (1, 1), (2, 2), (3, 3);
      insert into registry.note values ('a', 'first', 'x'), (${text(313)}, 'long', 'x'), ('b', 'second', 'x');
      commit`);
    const daemon = await registry.start();
    await calm();
    expect(await failures()).toEqual([
      'event c4ca42: the key "c4ca4238a0b923820dcc509a6f75849bc81e728d…" has 10016 bytes; expected at most 1000',
      'parked person 21: division by zero',
      'parked person 22: a column in the template of its remote id is NULL or empty; give it a value, or keep the row out of the view',
      'parked person 23: the view has 2 rows with key 23; expected one',
      'parked person 24: its entry would have 50000171 bytes, most of them in "roomNumber"; expected at most 4000000 (parameter ENTRY_BYTES)',
      'parked person 27: its remote id has 10048 bytes; expected at most 2000',
      'parked team 2: division by zero',
    ]);
    const people = (await registry.directory.entries('(objectClass=inetOrgPerson)', 'employeeNumber')).values();
    expect([...people].map(({ employeeNumber }) => Number(employeeNumber)).sort((one, other) => one - other)).toEqual([
      ...Array.from({ length: 20 }, (_, n) => n + 1),
      25,
      26,
    ]);
    expect((await registry.team(1))?.member).toEqual([`uid=good1,ou=people,${registry.directory.suffix}`]);
    expect([await registry.team(2), (await registry.team(3))?.cn]).toEqual([undefined, ['crew']]);
    expect(await notes()).toEqual([['first'], ['second']]);

    // A rescan finds nothing more, and is not stopped by what it cannot read.
    await query('select * from staffetta.rescan()');
    await calm();
    expect(await failures()).toHaveLength(7);

    // Corrected, they go by themselves.
    await query(`begin;
      update registry.person set room = 'fine', uid = 'right' || id where id in (21, 22, 23, 24, 25, 27);
      update registry.team set name = 'band' where id = 2;
      update registry.note set code = 'c' where title = 'long';
      commit`);
    await calm();
    expect(await registry.differences()).toEqual([]);
    expect(await notes()).toEqual([['first'], ['long'], ['second']]);
    // The old key of the note is as long as it was.
    expect(await failures()).toEqual([expect.stringMatching(/^event /), expect.stringMatching(/^event /)]);
    expect(await query('select state, failures from staffetta.target')).toEqual([{ state: 'active', failures: 0 }]);
    await daemon.stop();
  });

  test('text in every script, with marks and signs that are seldom seen, arrives and is not written again', async () => {
    const odd = [
      'Zoe\u0301 \u00c5ngstro\u0308m', // combining marks, and composed ones
      '\u202eneh\u202c \u05d0\u05d1\u05d2', // from right to left
      '\u{1f469}\u200d\u{1f52c} \u{1f1ee}\u{1f1f9}', // joined signs
      'line\u2028paragraph\u2029next\u0085', // what Unicode calls line ends
      '\ufeff\u00a0wide\u3000', // what looks like nothing
      '\ue000 \ufffd \u{10ffff}', // for private use, unknown, the last one
      'tab\tnew\nline\rback\\slash "quotes" <a>, b+c; d=e #f',
      '\u0130\u0131 \ufb03 \u1e9e\u00df', // whose other case is not one character
    ];
    await query(
      `insert into registry.person (id, uid, surname, given) select n, 'p' || n, t, t from unnest($1::text[]) with ordinality as x(t, n)`,
      [odd],
    );
    await query(
      `insert into registry.person (id, uid, surname) select 100 + n, 'u' || t, 'x' from unnest($1::text[]) with ordinality as x(t, n)`,
      [odd],
    );
    await registry.start();
    await calm();
    expect([await failures(), await registry.differences()]).toEqual([[], []]);
    const written = () => registry.directory.entries('(objectClass=inetOrgPerson)', 'entryCSN');
    const before = await written();
    await query(`select * from staffetta.replay_all('person')`);
    await calm();
    expect(await written()).toEqual(before);
  });

  test('a rescan finds what no event named, and the row that fails spoils neither it nor a reconcile', async () => {
    await registry.start();
    await query(`insert into registry.person (id, uid) select n, 'p' || n from generate_series(1, 6) n`);
    await calm();
    await query('alter table registry.person disable trigger user');
    await query(`update registry.person set room = case id when 3 then 'bad' else '7' end where id <= 4`);
    await query('select * from staffetta.rescan()');
    await calm();
    expect(await failures()).toEqual(['parked person 3: division by zero']);
    const rooms = async () => Promise.all([1, 2, 3, 4].map(async (id) => (await registry.person(id))?.roomNumber));
    expect(await rooms()).toEqual([['7'], ['7'], undefined, ['7']]);

    const { dn } = (await registry.person(5)) ?? {};
    await registry.directory.modify(`dn: ${dn}\nchangetype: modify\nreplace: sn\nsn: Neri\n`);
    const args = ['directory', 'person', '--repair', '--json', '--config', registry.file];
    const { exitCode, stdout } = await runHere(reconcileCommand(), args, registry.env);
    expect(exitCode).toBe(1); // for there is one that it cannot mend
    expect(JSON.parse(stdout).routes).toMatchObject([{ complete: true, seen: 6, changed: 1, repaired: 1 }]);
    await calm();
    expect((await registry.person(5))?.sn).toEqual(['Rossi']);
  });

  test('a rescan tells once of keys that no event named, and delivers the others', async () => {
    await registry.start();
    await query('alter table registry.note disable trigger user');
    await query(
      `insert into registry.note values ('a', 'first', 'x'), (${text(313)}, 'long', 'x'), ('b', 'second', 'x'), (null, 'nobody', 'x')`,
    );
    await query('select * from staffetta.rescan()');
    await calm();
    expect(await notes()).toEqual([['first'], ['second']]);
    const told = [expect.stringMatching(/^event c4ca42: the key .* has 10016 bytes; expected at most 1000$/)];
    expect(await failures()).toEqual(told);
    await query('select * from staffetta.rescan()');
    await query(`select * from staffetta.replay_all('note')`);
    await calm();
    expect(await failures()).toEqual(told);
    expect(await query(`select error from staffetta.route where error is not null`)).toEqual([]);
    await expect(query(`select * from staffetta.replay('note', ${text(313)})`)).rejects.toThrow(
      /^the key "c4ca4238\w+…" has 10016 bytes; expected at most 1000\.$/,
    );
  });
});

test('entries that are large, but not too large, come a few at a time', async () => {
  registry = await createBadRegistry();
  await query(`update staffetta.parameter set number = 1000 where code = 'ENTRY_BYTES'`);
  await query(
    `insert into registry.person (id, uid, room) select n, 'p' || n, repeat('x', 600) from generate_series(1, 40) n`,
  );
  await registry.start();
  await registry.calm();
  expect(await registry.differences()).toEqual([]);
});

test('an entry that makes the server end the connection keeps nobody else from it', async () => {
  registry = await createBadRegistry({ global: ['sockbuf_max_incoming_auth 20000'] });
  await query(`insert into registry.person (id, uid, room) values (1, 'poison', repeat('x', 50000))`);
  await registry.start();
  await until(
    () => query('select state from staffetta.target'),
    ([target]) => target?.state === 'waiting',
  );
  await query(`insert into registry.person (id, uid) select n, 'p' || n from generate_series(2, 100) n`);
  await until(
    () =>
      query(
        `select (select count(*) from staffetta.event)::int as events, count(*)::int as deliveries from staffetta.delivery`,
      ),
    ([owed]) => owed?.events === 0 && owed.deliveries === 1,
  );
  expect(await query('select key, attempts from staffetta.delivery')).toEqual([{ key: '1', attempts: 0 }]);
  expect((await registry.directory.entries('(objectClass=inetOrgPerson)', 'uid')).size).toBe(99);
  await query(`update registry.person set room = 'x' where id = 1`);
  await registry.calm();
  expect(await registry.differences()).toEqual([]);
});
