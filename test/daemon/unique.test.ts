/** Attributes that are unique, on a real directory: mails, and the logins that entries are named by. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Daemon } from '../../src/daemon.ts';
import { createRegistry, type Registry } from '../setup/registry.ts';
import { until } from '../setup/until.ts';

let registry: Registry;
let daemon: Daemon;
const query = (sql: string, values?: readonly unknown[]) => registry.query(sql, values);
const unique = [
  ['uid: { from: uid }', 'uid: { from: uid, unique: true }'],
  ['mail: { from: emails }', 'mail: { from: emails, unique: true }'],
] as const;

/** Applies another configuration and starts anew with it. */
async function configure(...changes: readonly (readonly [from: string, to: string])[]): Promise<void> {
  await daemon?.stop();
  await registry.configure(...changes);
  await registry.apply();
  daemon = await registry.start();
}

const mails = async (...ids: readonly number[]) =>
  Promise.all(ids.map(async (id) => (await registry.person(id))?.mail?.toSorted() ?? []));
const uuids = async () => Promise.all([1, 2, 3].map(async (id) => (await registry.person(id))?.entryUUID));
/** Everything was carried, and each value is reserved for the one who has it. */
const arrived = async () => {
  await registry.calm();
  expect(await registry.differences()).toEqual([]);
  expect(await query(`select normalised, key from staffetta.remote_value where attribute = 'mail' order by 1`)).toEqual(
    await query('select address as normalised, person_id::text as key from registry.email order by 1'),
  );
};
/** Waits until one is parked; its message. */
const parked = async (key: number) => {
  const [failure] = await until(
    () =>
      registry.query<{ message: string }>(
        `select message from staffetta.failures where failure = 'parked' and key = $1`,
        [String(key)],
      ),
    (failures) => failures.length === 1,
    { what: `that person ${key} is parked` },
  );
  return failure?.message;
};

beforeAll(async () => {
  registry = await createRegistry();
  await configure(...unique);
});
afterAll(() => registry.close());
beforeEach(async () => {
  await query('truncate registry.person, registry.email');
  await query(`insert into registry.person (id, uid) values (1, 'anna'), (2, 'bruno'), (3, 'carla')`);
  await query(`insert into registry.email values (1, 'anna@x.org'), (2, 'bruno@x.org'), (3, 'carla@x.org')`);
  await arrived();
});

describe('values change hands', () => {
  const rotate = (addresses: readonly string[]) =>
    query('update registry.email set address = ($1::text[])[person_id] where person_id <= $2', [
      addresses,
      addresses.length,
    ]);

  test('between two who swap, in one transaction and in two', async () => {
    await rotate(['bruno@x.org', 'anna@x.org']);
    await arrived();
    expect(await mails(1, 2)).toEqual([['bruno@x.org'], ['anna@x.org']]);
    await query(`update registry.email set address = 'anna@x.org' where person_id = 1`);
    expect(await parked(1)).toMatch(/mail "anna@x.org".* person 2/);
    await query(`update registry.email set address = 'bruno@x.org' where person_id = 2`);
    await arrived();
  });

  test('along a chain of three, and round a circle of three', async () => {
    await rotate(['bruno@x.org', 'carla@x.org', 'dora@x.org']);
    await arrived();
    await rotate(['carla@x.org', 'dora@x.org', 'bruno@x.org']);
    await arrived();
  });

  test('together with the logins that name the entries, which stay the same entries', async () => {
    const before = await uuids();
    await query(`begin;
      update registry.person set uid = case id when 1 then 'bruno' else 'anna' end where id <= 2;
      update registry.email set address = case person_id when 1 then 'bruno@x.org' else 'anna@x.org' end where person_id <= 2;
      commit`);
    await arrived();
    expect(await uuids()).toEqual(before);
  });

  test('from one who leaves to one who stays', async () => {
    await query(
      `begin; delete from registry.person where id = 1; update registry.email set address = 'anna@x.org' where person_id = 2; commit`,
    );
    await arrived();
    expect(await registry.person(1)).toBeUndefined();
  });
});

test('who should have another’s value is parked, and both are told of in explain, until one gives it up', async () => {
  await query(`insert into registry.person (id, uid) values (4, 'dario')`);
  await query(`insert into registry.email values (4, ' Anna@X.org')`);
  const message = await parked(4);
  expect(message).toBe(
    'person 4 should have mail " Anna@X.org", which is unique and that of person 1, which keeps it; give one of the two another',
  );
  const explain = async (key: number) => {
    const { ended, printed } = registry.spawn('explain', 'person', String(key));
    expect(await ended).toBe(0);
    return printed.stdout;
  };
  expect(await explain(4)).toContain(message);
  expect(await explain(1)).toContain('person 4 wants its mail and is parked');
  await query(`update registry.email set address = 'anna.rossi@x.org' where person_id = 1`);
  await registry.calm();
  expect(await mails(1, 4)).toEqual([['anna.rossi@x.org'], [' Anna@X.org']]);
});

test('entries that are adopted have their values reserved', async () => {
  await daemon.stop();
  await query(`truncate staffetta.link, staffetta.remote_id, staffetta.remote_value, staffetta.delivery`);
  await query(`update staffetta.target set admitted = false`);
  await registry.configure(...unique, ['dn: "uid=', 'match: { employeeNumber: id }\n        dn: "uid=']);
  await registry.apply();
  const { ended } = registry.spawn('adopt', 'directory', '--yes');
  expect(await ended).toBe(0);
  daemon = await registry.start();
  await arrived();
});

test('who shares a value since before it was unique is parked as soon as it is, and no longer when it no longer is', async () => {
  await configure();
  await query(`insert into registry.email values (3, 'anna@x.org')`);
  await registry.calm();
  expect(await mails(1, 3)).toEqual([['anna@x.org'], ['anna@x.org', 'carla@x.org']]);
  await configure(...unique);
  expect(await parked(3)).toMatch(/mail "anna@x.org".* person 1/);
  expect(await query(`select key from staffetta.remote_value where normalised = 'anna@x.org'`)).toEqual([{ key: '1' }]);
  await configure();
  await registry.calm();
  expect(await query('select from staffetta.remote_value')).toEqual([]);
});
