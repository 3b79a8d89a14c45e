import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createInstallation, type Installation } from './installation.ts';

let db: Installation;
beforeAll(async () => {
  db = await createInstallation();
});
afterAll(() => db.close());

describe('a value of a unique attribute', () => {
  const folded = async (value: unknown) =>
    (await db.query<{ folded: string }>('select staffetta.folded($1) as folded', [JSON.stringify(value)]))[0]?.folded;

  test('is the same whatever its case and spaces', async () => {
    expect(await folded(' Anna \t Rossi@X.org')).toBe('anna rossi@x.org');
    expect(await folded('Ärger')).toBe('ärger');
  });

  test('is compared as it is where it is bytes, or long, in the form in which links keep it', async () => {
    expect(await folded({ base64: 'QUJD' })).toBe(':QUJD');
    const long = 'X'.repeat(257);
    const hash = createHash('sha256').update(long).digest('hex');
    expect(await folded(long)).toBe(`#${hash}`);
    expect(await folded({ hash })).toBe(`#${hash}`);
    expect(await folded('X'.repeat(256))).toBe('x'.repeat(256));
  });
});

describe('values that links say are there', () => {
  const link = (key: string, mails: readonly string[], at: string) =>
    db.query(
      `insert into staffetta.link (target, entity, key, remote_id, attributes, at) values ('directory', 'person', $1, $1, $2, $3)`,
      [key, JSON.stringify({ mail: mails }), at],
    );
  const held = () => db.query('select normalised, key from staffetta.remote_value order by 1');

  test('are reserved for whoever was written first; who shares one is replayed', async () => {
    await db.query(`update staffetta.route set uniques = '{mail}' where (target, entity) = ('directory', 'person')`);
    await link('1', ['a@x', 'b@x'], '2026-02-01');
    await link('2', ['B@x'], '2026-01-01');
    await link('3', ['c@x', 'C@x'], '2026-03-01');
    await db.query(`select staffetta.reserve_linked('directory', 'person', '{3}')`);
    expect(await held()).toEqual([{ normalised: 'c@x', key: '3' }]);
    await db.query(`select staffetta.reserve_linked('directory', 'person')`);
    expect(await held()).toEqual([
      { normalised: 'a@x', key: '1' },
      { normalised: 'b@x', key: '2' },
      { normalised: 'c@x', key: '3' },
    ]);
    expect(await db.query('select key, last_cause from staffetta.delivery')).toEqual([
      { key: '1', last_cause: 'a value of it is to be unique' },
    ]);
  });

  test('are nobody’s once their attribute is not unique, and whoever was parked for one is due', async () => {
    await db.query(
      `update staffetta.delivery set state = 'parked', due_at = 'infinity', wait_attribute = 'mail', wait_id = 'b@x', wait_entity = 'person', wait_key = '2'`,
    );
    await db.query('select staffetta.unreserve_undeclared()');
    expect(await db.query('select state from staffetta.delivery')).toEqual([{ state: 'parked' }]);
    await db.query(`update staffetta.route set uniques = '{}'`);
    await db.query('select staffetta.unreserve_undeclared()');
    expect(await held()).toEqual([]);
    expect(
      await db.query('select state, due_at <= clock_timestamp() as due, rev::int from staffetta.delivery'),
    ).toEqual([{ state: 'pending', due: true, rev: 2 }]);
  });
});
