import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createRegistry, type Registry } from '../setup/registry.ts';

let registry: Registry;
const query = (sql: string, values?: readonly unknown[]) => registry.query(sql, values);
const anna = async () => (await registry.person(1)) ?? {};

/** What somebody does to the entry by hand. */
const byHand = (changes: string) =>
  registry.directory.modify(`dn: uid=anna,ou=people,${registry.directory.suffix}\nchangetype: modify\n${changes}\n`);

/** A forced replay reads the entry and mends what is ours. */
async function replay(): Promise<void> {
  await query(`select staffetta.replay('person', '1')`);
  await registry.calm();
}

/** A second run does nothing: neither an ordinary replay, nor a forced one, nor a rescan. */
async function nothingMore(): Promise<void> {
  const before = (await anna()).entryCSN;
  await query('update registry.person set id = id');
  await registry.calm();
  await replay();
  expect((await query('select sum(enqueued)::int as enqueued from staffetta.rescan()'))[0]).toEqual({ enqueued: 0 });
  expect((await anna()).entryCSN).toEqual(before);
}

beforeAll(async () => {
  registry = await createRegistry();
  await registry.configure(
    ['mail: { from: emails }', 'mail: { from: emails, policy: merge }'],
    ['roomNumber: { from: room }', 'roomNumber: { from: room, policy: initial }'],
    ['givenName: { from: given }', 'givenName: { from: given, policy: add }'],
  );
  await registry.apply();
  await registry.start();
});
afterAll(() => registry.close());
beforeEach(async () => {
  await query('truncate registry.person, registry.email');
  await registry.calm();
  await query(`insert into registry.person (id, uid, given, room) values (1, 'anna', 'Anna', '101')`);
  await query(`insert into registry.email values (1, 'a@x'), (1, 'b@x')`);
  await registry.calm();
});

describe('an attribute', () => {
  test('that is merged has our values put in and taken out, and those of others left alone', async () => {
    await byHand('add: mail\nmail: theirs@x');
    await query(`update registry.email set address = 'c@x' where address = 'a@x'`);
    await registry.calm();
    expect((await anna()).mail?.toSorted()).toEqual(['b@x', 'c@x', 'theirs@x']);
    await byHand('delete: mail\nmail: c@x');
    await replay();
    expect((await anna()).mail?.toSorted()).toEqual(['b@x', 'c@x', 'theirs@x']);
    await query('delete from registry.email');
    await registry.calm();
    expect((await anna()).mail).toEqual(['theirs@x']);
    await nothingMore();
  });

  test('that is merged and put in by somebody else meanwhile is no reason to fail', async () => {
    await byHand('add: mail\nmail: C@x\n-\ndelete: mail\nmail: a@x');
    await query(`update registry.email set address = 'c@x' where address = 'a@x'`);
    await registry.calm();
    expect((await anna()).mail?.toSorted()).toEqual(['C@x', 'b@x']);
    await nothingMore();
  });

  test('that is initial is given to a new entry, and then its own', async () => {
    expect((await anna()).roomNumber).toEqual(['101']);
    const before = (await anna()).entryCSN;
    await query(`update registry.person set room = '202'`);
    await registry.calm();
    expect((await anna()).entryCSN).toEqual(before);
    await byHand('replace: roomNumber\nroomNumber: 303');
    await replay();
    await query(`update registry.person set surname = 'Bianchi', room = null`);
    await registry.calm();
    expect(await anna()).toMatchObject({ sn: ['Bianchi'], roomNumber: ['303'] });
    await nothingMore();
  });

  test('that is initial is given again to an entry that is made again', async () => {
    await registry.directory.modify(`dn: uid=anna,ou=people,${registry.directory.suffix}\nchangetype: delete\n`);
    await query(`update registry.person set room = '202'`);
    await replay();
    expect((await anna()).roomNumber).toEqual(['202']);
  });

  test('that is added to keeps what it was given', async () => {
    await query(`update registry.person set given = 'Annamaria'`);
    await registry.calm();
    await byHand('add: givenName\ngivenName: Nina');
    await query(`update registry.person set given = null`);
    await registry.calm();
    expect((await anna()).givenName?.toSorted()).toEqual(['Anna', 'Annamaria', 'Nina']);
    await nothingMore();
  });
});
