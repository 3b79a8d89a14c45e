/** Ten thousand people: what concerns all of them keeps nobody waiting, and what concerns one is written for one. */
import { mkdtemp, readFile, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createRegistry, type Registry } from '../setup/registry.ts';
import { until } from '../setup/until.ts';

const crowd = 10_000;
const department = crowd / 2;
const [slots, batch] = [2, 500];
/** It may be slow where everything is. */
const timeout = 120_000;

let registry: Registry;
let folder: string;
/** Every write that the directory took, as LDIF. */
let audit: string;
const query = (sql: string, values?: readonly unknown[]) => registry.query(sql, values);
const owed = (count: number) =>
  until(
    () =>
      query(
        `select count(*)::int as owed, (select count(*) from staffetta.event)::int as events from staffetta.delivery`,
      ),
    ([row]) => row?.owed === count && row.events === 0,
    { what: `that ${count} deliveries are owed` },
  );

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'staffetta-audit-'));
  audit = join(folder, 'audit.ldif');
  registry = await createRegistry({
    slapd: { modules: ['auditlog'], database: ['overlay auditlog', `auditlog ${audit}`] },
  });
  await query(`
    create table registry.department (code text primary key, name text not null);
    create table registry.career (person_id bigint primary key, department text);
    create index on registry.career (department);
    create or replace view registry.v_person as
      select p.*, array(select e.address from registry.email e where e.person_id = p.id order by 1) as emails,
        (select d.name from registry.career c join registry.department d on d.code = c.department where c.person_id = p.id) as department
      from registry.person p where not hidden`);
  await registry.configure(
    ['timeout: 3s', `timeout: 10s\n    slots: ${slots}\n    batch: ${batch}`],
    [
      'registry.email: person_id }',
      'registry.email: person_id, registry.department: { key: code, resolve: "select person_id from registry.career where department = any($1)" } }',
    ],
    ['roomNumber: { from: room }', 'roomNumber: { from: room }\n          departmentNumber: { from: department }'],
  );
  await registry.apply();
  await query(`
    insert into registry.department values ('math', 'Mathematics');
    insert into registry.career select n, 'math' from generate_series(1, ${department}) n;
    insert into registry.person (id, uid) select n, 'p' || n from generate_series(1, ${crowd}) n`);
  await registry.start();
  await registry.calm(timeout);
}, timeout);
afterAll(async () => {
  await registry.close();
  await rm(folder, { recursive: true });
});

test('a department with 5,000 people is renamed, and neither one of them nor anybody else waits behind it', {
  timeout,
}, async () => {
  await query(`select staffetta.pause('directory', 'so that all of it is owed before anything is sent')`);
  await query(`update registry.department set name = 'Pure mathematics'`);
  await owed(department);
  await query(`update registry.person set surname = 'Noether' where id = 7`);
  await query(`insert into registry.person (id, uid) values (0, 'emmy')`);
  await owed(department + 1);
  await query(`select staffetta.resume('directory')`);
  await registry.calm(timeout);

  const [seven, emmy] = [await registry.person(7), await registry.person(0)];
  expect([seven?.sn, seven?.departmentNumber, emmy?.uid]).toEqual([['Noether'], ['Pure mathematics'], ['emmy']]);
  expect(await registry.directory.ldapsearch('-s', 'sub', '(departmentNumber=Mathematics)', '1.1')).toBe('');
  const [order] = await query(`
    with alone as (select max(at) as at from staffetta.journal where key in ('0', '7') and actor = current_user and operation in ('create', 'update'))
    select count(*) filter (where j.at < a.at)::int as before, count(*) filter (where j.at > a.at)::int as after
    from staffetta.journal j, alone a where j.operation = 'update' and j.key <> '7'`);
  // Each pump may have begun one batch of the others before it came to them.
  expect(order?.before).toBeLessThanOrEqual(slots * batch);
  expect(order?.after).toBeGreaterThanOrEqual(department - 1 - slots * batch);
});

test('a group of 10,000: who comes, moves or goes is one value on the wire and one row in the database', {
  timeout,
}, async () => {
  await query(`insert into registry.team values (1, 'crowd')`);
  await query(`insert into registry.member select 1, n from generate_series(1, ${crowd}) n`);
  await registry.calm(timeout);
  const { suffix } = registry.directory;
  expect((await registry.team(1))?.member).toHaveLength(crowd);

  /** The lines about members that the directory was sent for a change of the registry, and the members that were touched in the queue's tables. */
  const cost = async (sql: string) => {
    await query(`drop table if exists registry.noted`);
    await query(`create table registry.noted as select ref_key, xmin::text as version from staffetta.reference`);
    await truncate(audit);
    await query(sql);
    await registry.calm();
    const lines = (await readFile(audit, 'utf8'))
      .split('\n\n')
      .filter((change) => change.includes(`dn: cn=crowd,ou=groups,${suffix}\n`))
      .flatMap((change) => change.split('\n').filter((line) => /^(add|delete|replace): member$|^member: /.test(line)));
    const [touched] = await query(
      `select count(*)::int as rows from staffetta.reference r full join registry.noted n using (ref_key) where n.version is distinct from r.xmin::text`,
    );
    return { lines, rows: touched?.rows };
  };
  const member = (uid: string) => `member: uid=${uid},ou=people,${suffix}`;
  expect(await cost(`insert into registry.member values (1, 0)`)).toEqual({
    lines: ['add: member', member('emmy')],
    rows: 1,
  });
  expect(await cost(`update registry.person set uid = 'noether' where id = 0`)).toEqual({
    lines: ['add: member', member('noether'), 'delete: member', member('emmy')],
    rows: 1,
  });
  expect(await cost(`delete from registry.member where person_id = 0`)).toEqual({
    lines: ['delete: member', member('noether')],
    rows: 1,
  });
  expect(await registry.differences()).toEqual([]);
});
