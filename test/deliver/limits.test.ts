import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { load } from '../../src/deliver/load.ts';
import { claimed } from './situation.ts';
import { createStage, type Stage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await createStage();
});
beforeEach(() => stage.clear());
afterAll(() => stage.close());

const limits = { entry: 1000, batch: 2000 };
const loadKeys = (...keys: readonly number[]) =>
  load(
    stage.pool,
    'directory',
    'person',
    'bigint',
    keys.map((key) => claimed({ key: `${key}` })),
    limits,
  );
const keysOf = (items: readonly { readonly claimed: { readonly key: string } }[]) =>
  items.map(({ claimed }) => claimed.key);
const long = (length: number) => ({ mail: [`${'x'.repeat(length)}@x`] });

describe('what is read at once', () => {
  test('is no entry that is too large, which says how large, and in which attribute; the others come', async () => {
    await stage.addPerson(1, 'ada');
    await stage.addPerson(2, 'bob', long(2_000_000));
    await stage.addPerson(3, 'cid');
    const { loaded, unloadable, deferred } = await loadKeys(1, 2, 3);
    expect([keysOf(loaded), deferred]).toEqual([['1', '3'], []]);
    expect(unloadable).toMatchObject([
      {
        claimed: { key: '2' },
        fingerprint: expect.any(String),
        reason: expect.stringMatching(
          /^its entry would have 400\d{4} bytes, most of them in "mail"; expected at most 1000 \(parameter ENTRY_BYTES\)$/,
        ),
      },
    ]);
  });

  test('is no more than fits, and the rest the next time; always at least one', async () => {
    for (const key of [1, 2, 3, 4, 5]) await stage.addPerson(key, `p${key}`, long(300));
    const first = await loadKeys(1, 2, 3, 4, 5);
    expect(first.unloadable).toEqual([]);
    expect(keysOf(first.loaded)).toEqual(['1', '2']);
    expect(first.deferred.map(({ key }) => key)).toEqual(['3', '4', '5']);
    expect(first.loaded.map(({ desired }) => desired?.attributes?.mail)).toEqual([long(300).mail, long(300).mail]);
    expect(keysOf((await loadKeys(5)).loaded)).toEqual(['5']);
  });

  test('does not count what stays in the database, since it is on the target already', async () => {
    await stage.addPerson(1, 'ada', long(2000));
    await stage.query(
      `insert into staffetta.link (target, entity, key, remote_id, attributes, fingerprint)
       select 'directory', 'person', '1', remote_id, '{}', fingerprint from staffetta.desired_directory_person`,
    );
    const { unloadable } = await loadKeys(1);
    expect(unloadable).toMatchObject([{ claimed: { key: '1' } }]); // its `match` is too long by itself
    await stage.query(`update registry.person set mail = null, name = repeat('x', 2000)`);
    await stage.query(
      `update staffetta.link l set fingerprint = d.fingerprint from staffetta.desired_directory_person d`,
    );
    expect((await loadKeys(1)).loaded).toMatchObject([{ desired: { attributes: null } }]);
  });

  test('counts an absent key as nothing', async () => {
    const { loaded, deferred } = await loadKeys(7, 8, 9);
    expect([keysOf(loaded), deferred]).toEqual([['7', '8', '9'], []]);
    expect(loaded.every(({ desired }) => desired === undefined)).toBe(true);
  });
});

describe('a batch of more than that', () => {
  beforeEach(async () => {
    await stage.query(`update staffetta.parameter set number = 1000 where code = 'ENTRY_BYTES'`);
    for (let key = 1; key <= 9; key++) await stage.addPerson(key, `p${key}`, key === 5 ? long(1000) : long(300));
    await stage.owe('person', 1, 2, 3, 4, 5, 6, 7, 8, 9);
  });

  test('is delivered whole', async () => {
    const { failure } = await stage.deliver(await stage.claim());
    expect(failure).toBeUndefined();
    expect(await stage.query('select key from staffetta.link order by key')).toHaveLength(8);
    expect(await stage.deliveries()).toMatchObject([{ key: '5', state: 'parked' }]);
  });

  test('keeps what it has done when the database is away at a later read, and gives the rest back', async () => {
    let reads = 0;
    const database = stage.interpose({
      before: (statement) => {
        if (statement.startsWith('load_') && ++reads === 3) throw new Error('the connection was lost');
      },
    });
    const { failure } = await stage.deliver(await stage.claim(), undefined, undefined, database);
    expect(failure).toEqual(new Error('the connection was lost'));
    const linked = await stage.query<{ key: string }>('select key from staffetta.link order by key');
    expect(linked.map(({ key }) => key)).toEqual(['1', '2', '3', '4']);
    const left = await stage.deliveries();
    expect(left.map(({ key, state, token, unsure }) => [key, state, token, unsure])).toEqual([
      ['5', 'parked', null, false],
      ...['6', '7', '8', '9'].map((key) => [key, 'pending', null, false]),
    ]);
  });
});

test('a team whose members cannot be read is parked alone', async () => {
  await stage.addPerson(1, 'ada');
  await stage.query(`insert into registry.team values (1, 'choir'), (2, 'crew'), (3, 'band')`);
  await stage.query('insert into registry.member values (1, 1), (2, 0), (3, 1)');
  await stage.query(`create or replace function staffetta.desired_directory_team_refs_rows()
    returns table (key bigint, attribute text, ref_key text) language sql stable as $$
      select m.team_id, 'member', (m.person_id / m.person_id)::text from registry.member m $$`);
  await stage.owe('team', 1, 2, 3);
  await stage.settle();
  expect(await stage.deliveries()).toMatchObject([{ key: '2', state: 'parked', error: 'division by zero' }]);
  expect(await stage.query(`select key from staffetta.link where entity = 'team' order by key`)).toEqual([
    { key: '1' },
    { key: '3' },
  ]);
});
