/** Values of unique attributes (`unique: true`): each belongs to one key of the target. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { nameValue } from '../../src/deliver/unique.ts';
import { refusal } from './scripted-target.ts';
import { createStage, type Stage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await createStage();
});
beforeEach(() => stage.clear());
afterAll(() => stage.close());

const unique = (more: Parameters<Stage['destination']>[0] = {}, person = {}) =>
  stage.destination(more, { person: { unique: new Set(['mail']), ...person } });
/** Carries everything that is due; what would look again by itself after a while does so now. */
async function calm(...given: Parameters<typeof unique>): Promise<void> {
  for (let rounds = 0; rounds < 3; rounds++) {
    await stage.settle(unique(...given));
    await stage.query(`update staffetta.delivery set due_at = clock_timestamp() where state = 'waiting'`);
  }
  await stage.settle(unique(...given));
}
/** People, each with an entry and these mails. */
async function people(mails: Readonly<Record<number, readonly string[]>>): Promise<void> {
  for (const [id, mail] of Object.entries(mails)) await stage.addPerson(Number(id), `p${id}`, { mail });
  await stage.owe('person', ...Object.keys(mails));
  await stage.settle(unique());
}
async function change(mails: Readonly<Record<number, readonly string[]>>): Promise<void> {
  for (const [id, mail] of Object.entries(mails))
    await stage.query('update registry.person set mail = $2 where id = $1', [id, mail]);
  await stage.owe('person', ...Object.keys(mails));
}
const dn = (id: number) => `uid=p${id},ou=people`;
const mailOf = (id: number) => stage.target.entry(dn(id))?.mail ?? [];
/** Whose each value is: value → key. */
const held = async () =>
  Object.fromEntries(
    (
      await stage.query<{ normalised: string; key: string }>(
        `select normalised, key from staffetta.remote_value where (target, attribute, entity) = ('directory', 'mail', 'person') order by 1`,
      )
    ).map(({ normalised, key }) => [normalised, key]),
  );
const standing = async () =>
  (await stage.deliveries()).map(({ key, state, wait_key, error }) => ({ key, state, wait_key, error }));
const parked = (key: string, wait_key: string, error: unknown = expect.any(String)) => ({
  key,
  state: 'parked',
  wait_key,
  error,
});
describe('a value that two should have', () => {
  test('stays with whom it was first; the other is parked, naming both, and nothing is sent for it', async () => {
    await people({ 1: ['anna@x.org'] });
    await people({ 2: [' ANNA@x.org', 'other@x.org'] });
    expect(await standing()).toEqual([
      parked(
        '2',
        '1',
        'person 2 should have mail " ANNA@x.org", which is unique and that of person 1, which keeps it; give one of the two another',
      ),
    ]);
    expect(stage.target.ids).toEqual([dn(1)]);
    expect(await held()).toEqual({ 'anna@x.org': '1' });
    expect(await stage.reserved()).toEqual({ [dn(1)]: '1' });
    const [failure] = await stage.query(`select message, what_to_do from staffetta.failures where key = '2'`);
    expect(failure).toMatchObject({
      message: expect.stringMatching('person 2.*person 1'),
      what_to_do: expect.stringMatching('another value of mail'),
    });
  });

  test('stays, of two in one batch, with the one whose entry has it', async () => {
    await people({ 2: ['anna@x.org'] });
    await stage.query('delete from staffetta.remote_value');
    await stage.addPerson(1, 'p1', { mail: ['anna@x.org'] });
    await stage.owe('person', 1, 2);
    await calm();
    expect(await standing()).toEqual([parked('1', '2')]);
    expect(await held()).toEqual({ 'anna@x.org': '2' });
  });

  test('goes, of two in one batch that have no entry, to one of them', async () => {
    await stage.addPerson(1, 'p1', { mail: ['anna@x.org'] });
    await stage.addPerson(2, 'p2', { mail: ['anna@x.org'] });
    await stage.owe('person', 1, 2);
    await calm();
    expect(await standing()).toEqual([parked('2', '1')]);
  });

  test('holds up an entry that is there only as a whole: nothing else of it is written either', async () => {
    await people({ 1: ['anna@x.org'], 2: ['bob@x.org'] });
    await stage.query(`update registry.person set name = 'Robert', mail = '{anna@x.org}' where id = 2`);
    await stage.owe('person', 2);
    await calm();
    expect(stage.target.entry(dn(2))).toMatchObject({ cn: ['p2'], mail: ['bob@x.org'] });
    expect(await held()).toEqual({ 'anna@x.org': '1', 'bob@x.org': '2' });
  });

  test('is the business of unique attributes only, and of no other costs a statement', async () => {
    const statements: string[] = [];
    const database = stage.interpose({ before: (name) => void statements.push(name) });
    await stage.addPerson(1, 'p1', { mail: ['anna@x.org'] });
    await stage.addPerson(2, 'p2', { mail: ['anna@x.org'] });
    await stage.owe('person', 1, 2);
    await stage.deliver(await stage.claim(), stage.destination(), undefined, database);
    expect(stage.target.ids).toEqual([dn(1), dn(2)]);
    expect(statements).not.toContain('reserve_values');
    expect(await held()).toEqual({});
  });

  test('stays with one of two who have it since before it was unique; the other is parked at its next replay', async () => {
    for (const id of [1, 2]) await stage.addPerson(id, `p${id}`, { mail: ['anna@x.org'] });
    await stage.owe('person', 1, 2);
    await stage.settle();
    await stage.query(`update staffetta.route set uniques = '{mail}' where entity = 'person'`);
    await stage.query(`select staffetta.reserve_linked('directory', 'person')`);
    expect(await held()).toEqual({ 'anna@x.org': '1' });
    expect((await stage.deliveries()).map(({ key }) => key)).toEqual(['2']);
    await calm();
    expect(await standing()).toEqual([parked('2', '1')]);
    await change({ 1: ['other@x.org'] });
    await calm();
    expect(await stage.deliveries()).toEqual([]);
    expect(await held()).toEqual({ 'anna@x.org': '2', 'other@x.org': '1' });
    await stage.query(`update staffetta.route set uniques = '{}'`);
  });

  test('is not taken by a worker whose claim is gone', async () => {
    await stage.addPerson(1, 'p1', { mail: ['anna@x.org'] });
    await stage.owe('person', 1);
    const database = stage.interpose({
      before: async (name) => {
        if (name === 'reserve_values')
          await stage.query('update staffetta.delivery set token = $1', [stage.foreignToken]);
      },
    });
    const { outcomes } = await stage.deliver(await stage.claim(), unique(), undefined, database);
    expect(outcomes).toEqual([]);
    expect(await held()).toEqual({});
  });
});

describe('a value is free again, and whoever is parked for it goes on by itself, when its holder', () => {
  beforeEach(async () => {
    await people({ 1: ['anna@x.org'] });
    await people({ 2: ['anna@x.org'] });
    expect(await standing()).toEqual([parked('2', '1')]);
  });
  const arrived = async (value: string | undefined = '2') => {
    expect(await held()).toMatchObject({ 'anna@x.org': value });
    expect(mailOf(2)).toEqual(['anna@x.org']);
    expect(await stage.deliveries()).toEqual([]);
  };

  test('has another', async () => {
    await change({ 1: ['other@x.org'] });
    await calm();
    await arrived();
    expect(mailOf(1)).toEqual(['other@x.org']);
  });

  test('has none', async () => {
    await change({ 1: [] });
    await calm();
    await arrived();
  });

  test('is removed, and its entry is never taken for that of the other', async () => {
    await stage.query('delete from registry.person where id = 1');
    await stage.owe('person', 1);
    await calm();
    await arrived();
    expect(stage.target.ids).toEqual([dn(2)]);
    expect(await stage.journal()).not.toContain('1 hand over done');
  });

  test('is released', async () => {
    await stage.query('update registry.person set guest = true where id = 1');
    await stage.owe('person', 1);
    await calm();
    await arrived();
  });

  test('is disabled, and that takes it out; whatever disabling writes, it is held up by nobody', async () => {
    await stage.query(`update staffetta.link set disable = '{"remote_id": null, "attributes": {"mail": []}}'`);
    await stage.query('delete from registry.person where id = 1');
    await stage.owe('person', 1);
    await calm({}, { deprovision: [{ do: 'disable', after: 0 }] });
    expect(stage.target.ids).toEqual([dn(1), dn(2)]);
    await arrived();
    await stage.query(
      `update staffetta.link set disable = '{"remote_id": null, "attributes": {"mail": ["ANNA@x.org"]}}' where key = '1'`,
    );
    await stage.query(`update staffetta.link set state = 'active' where key = '1'`);
    await stage.owe('person', 1);
    await calm({}, { deprovision: [{ do: 'disable', after: 0 }] });
    expect(mailOf(1)).toEqual(['ANNA@x.org']);
    await arrived();
  });

  test('is erased', async () => {
    await stage.query('delete from registry.person where id = 1');
    await stage.query(`select staffetta.erase('person', '1')`);
    await calm();
    await arrived();
  });
});

test('a value that was refused by the target is free again', async () => {
  await people({ 1: ['anna@x.org'] });
  stage.target.onChange = () => {
    throw refusal('rejected');
  };
  await change({ 1: ['other@x.org'] });
  await calm();
  expect(await held()).toEqual({ 'anna@x.org': '1' });
  stage.target.onChange = (perform) => perform();
  await people({ 2: ['other@x.org'] });
  expect(mailOf(2)).toEqual(['other@x.org']);
});

test('a value that may have been written stays with whom it was written for, until it is known', async () => {
  await people({ 1: ['anna@x.org'], 3: ['third@x.org'] });
  await change({ 1: ['other@x.org'] });
  const killed = new AbortController();
  const database = stage.interpose({
    before: (name) => {
      if (name !== 'settle') return;
      killed.abort();
      throw new Error('killed');
    },
  });
  await expect(stage.deliver(await stage.claim(), unique(), killed.signal, database)).rejects.toThrow('killed');
  expect(await held()).toEqual({ 'anna@x.org': '1', 'other@x.org': '1', 'third@x.org': '3' });
  // Before anybody looks, its row has a third value, which is another's.
  await change({ 1: ['third@x.org'] });
  await stage.expire();
  await stage.settle(unique());
  expect(mailOf(1)).toEqual(['other@x.org']);
  expect(await held()).toEqual({ 'other@x.org': '1', 'third@x.org': '3' });
  await change({ 3: [] });
  await calm();
  expect(await held()).toEqual({ 'third@x.org': '1' });
});

test('a value goes with an entry that is handed over to another key', async () => {
  await people({ 1: ['anna@x.org'] });
  await stage.query('update registry.person set id = 10 where id = 1');
  await stage.owe('person', 10, 1);
  await calm();
  expect(stage.target.sent.filter((sent) => !sent.startsWith('create'))).toEqual([]);
  expect(await held()).toEqual({ 'anna@x.org': '10' });
  expect(await stage.deliveries()).toEqual([]);
});

describe.each([
  ['in one batch', {}],
  ['one after the other', { batch: 1 }],
])('values that change hands, delivered %s,', (_, more) => {
  const go = async (mails: Readonly<Record<number, readonly string[]>>) => {
    await change(mails);
    await calm(more);
    expect(await stage.deliveries()).toEqual([]);
    for (const [id, mail] of Object.entries(mails)) expect(mailOf(Number(id))).toEqual(mail);
    const links = Object.entries(mails).flatMap(([id, mail]) => mail.map((value) => [value, id]));
    expect(await held()).toEqual(Object.fromEntries(links.sort()));
  };

  test('are swapped', async () => {
    await people({ 1: ['a@x'], 2: ['b@x'] });
    await go({ 1: ['b@x'], 2: ['a@x'] });
  });

  test('go round among three, and down a chain of three', async () => {
    await people({ 1: ['a@x'], 2: ['b@x'], 3: ['c@x'] });
    await go({ 1: ['b@x'], 2: ['c@x'], 3: ['a@x'] });
    await go({ 1: ['c@x'], 2: ['a@x'], 3: ['d@x'] });
  });

  test('are swapped beside others that stay', async () => {
    await people({ 1: ['a@x', 'one@x'], 2: ['b@x', 'two@x'] });
    await go({ 1: ['b@x', 'one@x'], 2: ['two@x', 'a@x'] });
  });

  test('are swapped together with names', async () => {
    await people({ 1: ['a@x'], 2: ['b@x'] });
    const before = [1, 2].map((id) => stage.target.stableId(dn(id)));
    await stage.query(
      `update registry.person set uid = 'p' || 3 - id, mail = case id when 1 then '{b@x}' else '{a@x}' end::text[]`,
    );
    await stage.owe('person', 1, 2);
    await calm(more);
    expect(await stage.deliveries()).toEqual([]);
    expect([2, 1].map((id) => stage.target.stableId(dn(id)))).toEqual(before);
    expect(await held()).toEqual({ 'a@x': '2', 'b@x': '1' });
    expect(await stage.reserved()).toEqual({ [dn(1)]: '2', [dn(2)]: '1' });
  });

  test('against a name: who gives up a name wants a value of who wants the name', async () => {
    await people({ 1: ['a@x'], 2: ['b@x'] });
    await stage.query(
      `update registry.person set uid = case id when 1 then 'p9' else 'p1' end, mail = case id when 1 then '{b@x}' else '{c@x}' end::text[]`,
    );
    await stage.owe('person', 1, 2);
    await calm(more);
    expect(await stage.deliveries()).toEqual([]);
    expect(stage.target.ids).toEqual(['uid=p1,ou=people', 'uid=p9,ou=people']);
    expect(await held()).toEqual({ 'b@x': '1', 'c@x': '2' });
  });

  test('but that both want and both keep park both, and nobody turns in circles', async () => {
    await people({ 1: ['a@x'], 2: ['b@x'] });
    await change({ 1: ['a@x', 'b@x'], 2: ['b@x', 'a@x'] });
    await calm(more);
    expect(await standing()).toEqual([parked('1', '2'), parked('2', '1')]);
    expect([mailOf(1), mailOf(2)]).toEqual([['a@x'], ['b@x']]);
    await go({ 1: ['a@x', 'b@x'], 2: ['c@x'] });
  });

  test('but of which one is kept park the others of the circle, until it is given up', async () => {
    await people({ 1: ['a@x'], 2: ['b@x'], 3: ['c@x'] });
    await change({ 1: ['a@x', 'b@x'], 2: ['c@x'], 3: ['a@x'] });
    await calm(more);
    expect((await stage.deliveries()).map(({ key, state }) => [key, state])).toEqual([
      ['1', 'parked'],
      ['2', 'parked'],
      ['3', 'parked'],
    ]);
    await go({ 1: ['b@x'], 2: ['c@x'], 3: ['a@x'] });
  });
});

test('a value is named in a message as far as it can be read', () => {
  expect(nameValue('mail', 'a@x')).toBe('mail "a@x"');
  expect(nameValue('mail', 'x'.repeat(200))).toBe(`mail "${'x'.repeat(100)}…"`);
  expect(nameValue('photo', { base64: 'AAA=' })).toBe('a value of photo (bytes)');
  expect(nameValue('key', { hash: 'ab' })).toBe('a long value of key');
});
