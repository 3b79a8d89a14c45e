/** Where a change stands: each of ESSE3's states as it comes about, and what `explain` then says is to be done. */
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { explainCommand } from '../../src/commands/explain.ts';
import { runHere } from '../commands/run-here.ts';
import { connect, createRegistry, type Registry } from '../setup/registry.ts';
import { until } from '../setup/until.ts';

let registry: Registry;
/** Merely enabled: a member of `staffetta_operator`. */
let operator: pg.Client;
let login: string;
const query = (sql: string, values?: readonly unknown[]) => registry.query(sql, values);

beforeAll(async () => {
  registry = await createRegistry();
  await query(`
    create function registry.told(entity text, key text, target text, state text, data jsonb) returns void language plpgsql as $$
    begin if key = '3' then raise exception 'no account for %', key; end if; end $$`);
  await registry.configure(
    ['timeout: 3s', 'timeout: 10s'],
    ['guard: { removals: 100%, changes: 100% }', 'guard: { removals: 0%, floor: 0 }'],
    ['        deprovision: delete\n', '        writeBack: registry.told\n        deprovision: delete\n'],
  );
  await registry.apply();
  await query(
    `update staffetta.parameter set number = 300 where code = 'RETRY_SECONDS'; update staffetta.route set rescan = 0`,
  );
  const role = await registry.createRole();
  await query(`grant staffetta_operator to ${role.name}`);
  operator = await connect(role.url);
  login = role.name;
});
afterAll(async () => {
  await operator.end();
  await registry.close();
});

/** The newest word of `ldap_repl` on a person, as an operator reads it. */
async function standing(key: number) {
  const { rows } = await operator.query<{ state: string; cause: string; actor: string; note: string }>(
    `select state, cause, actor, note from staffetta.ldap_repl where entity = 'person' and key = $1
     order by ended_at desc nulls first, captured_at desc limit 1`,
    [key],
  );
  return rows[0];
}
const becomes = (key: number, state: string) =>
  until(
    () => standing(key),
    (row) => row?.state === state,
    { what: `that person ${key} is ${state}` },
  );

/** The sentence with which `explain` ends. */
async function advice(key: number): Promise<string | undefined> {
  const explained = await runHere(explainCommand(), ['person', String(key), '--config', registry.file], registry.env);
  return explained.stdout.split('→ ').at(-1);
}

test('ATTIVARE: captured, while no daemon runs', async () => {
  await query(`insert into registry.person (id, uid) values (1, 'ada'), (2, 'bob'), (3, 'cleo'), (4, 'dan')`);
  expect(await standing(1)).toMatchObject({
    state: 'ATTIVARE',
    cause: 'insert registry.person',
    note: 'captured, not ingested yet',
  });
  expect(await advice(1)).toMatch(/^A change that may be its own is captured and not ingested yet/);
});

test('ATTIVATA: owed and due, since an operator asked for it', async () => {
  await operator.query(`select staffetta.replay('person', '1', reason => 'she says that she cannot log in')`);
  await query(`delete from staffetta.event where cols[1] = '1'`); // it stands for itself
  expect(await standing(1)).toMatchObject({
    state: 'ATTIVATA',
    cause: 'replay: she says that she cannot log in',
    actor: login,
  });
  expect(await advice(1)).toMatch(/^It is on its way; nothing to do, as long as a daemon runs/);
});

test('SUCCESS: done', async () => {
  await registry.start();
  await registry.calm();
  expect(await standing(1)).toMatchObject({
    state: 'SUCCESS',
    cause: 'replay: she says that she cannot log in',
    actor: login,
  });
  expect(await advice(1)).toBe('It is as it should be; nothing to do.');
  const { rows } = await operator.query(
    `select ended_at >= captured_at as ended, captured_at > now() - interval '1 minute' as lately, next_at from staffetta.ldap_repl where key = '1'`,
  );
  expect(rows).toEqual([{ ended: true, lately: true, next_at: null }]);
  expect(await advice(99)).toMatch(/^It is neither in the view nor on the target; nothing to do/);
});

test('WARNING: done, but the application complained of what it was told', async () => {
  expect(await standing(3)).toMatchObject({ state: 'WARNING', note: 'registry.told: no account for 3' });
  expect(await advice(3)).toBe('It is as it should be; nothing to do.');
});

test('ESECUZIONE: being written, to a directory that takes its time', async () => {
  await registry.directory.kill('SIGSTOP');
  try {
    await query(`update registry.person set surname = 'Byron' where id = 1`);
    expect(await becomes(1, 'ESECUZIONE')).toMatchObject({
      cause: 'update registry.person',
      note: 'a worker is at it',
    });
    expect(await advice(1)).toMatch(/^It is on its way/);
  } finally {
    await registry.directory.kill('SIGCONT');
  }
  await becomes(1, 'SUCCESS');
});

test('FAILURE: to be tried again, and at once when an operator says so', async () => {
  await query(`update registry.person set area = 'annexe' where id = 2`);
  expect((await becomes(2, 'FAILURE'))?.note).toContain('noSuchObject');
  expect(await advice(2)).toMatch(/^It goes on by itself as soon as what it waits for is there/);
  const { suffix } = registry.directory;
  await registry.directory.add(`dn: ou=annexe,${suffix}\nobjectClass: organizationalUnit\nou: annexe\n`);
  await operator.query(`select staffetta.retry('directory', 'person', '{2}')`);
  expect(await becomes(2, 'SUCCESS')).toMatchObject({ cause: 'retry', actor: login });
});

test('ANNULLATA: given up until somebody changes something', async () => {
  await query(`update registry.person set uid = null where id = 2`);
  expect((await becomes(2, 'ANNULLATA'))?.note).toContain('NULL or empty');
  expect(await advice(2)).toMatch(/^Correct what the error names/);
  await query(`update registry.person set uid = 'bob' where id = 2`);
  await becomes(2, 'SUCCESS');
});

test('SOSPESA: held by the guard, or its target is paused', async () => {
  await query('delete from registry.person where id = 4');
  const held = await until(
    () => standing(4),
    (row) => row?.note.includes('removals are due') ?? false,
    { what: 'that it is held' },
  );
  expect(held?.state).toBe('SOSPESA');
  expect(await advice(4)).toMatch(/^It waits for the word of an administrator: "staffetta approve directory person 4"/);
  await expect(operator.query(`select staffetta.approve('directory', 'person', '{4}')`)).rejects.toThrow(
    'permission denied',
  );
  await query(`select staffetta.approve('directory', 'person', '{4}')`);
  await becomes(4, 'SUCCESS');

  await query(`select staffetta.pause('directory', 'moving house')`);
  await query(`update registry.person set surname = 'Lovelace' where id = 1`);
  expect((await becomes(1, 'SOSPESA'))?.note).toContain('the target is paused: moving house');
  expect(await advice(1)).toMatch(/^The target is paused; "staffetta resume directory"/);
  await query(`select staffetta.resume('directory')`);
  await becomes(1, 'SUCCESS');
});

test('none: captured, but not replicated', async () => {
  await query(`insert into registry.person (id, uid, hidden) values (5, 'eve', true)`);
  await registry.calm();
  const { rows } = await operator.query('select * from staffetta.ldap_norep');
  expect(rows).toEqual([
    { target: 'directory', entity: 'person', key: '5', note: 'in a source, but not in the view', on_target: false },
  ]);
  expect(await advice(5)).toMatch(/^It is neither in the view nor on the target/);
});

test('ATTESA: its target cannot be reached, or must not be written to', async () => {
  await registry.directory.stop();
  await query(`update registry.person set surname = 'King' where id = 1`);
  expect((await becomes(1, 'ATTESA'))?.note).toContain('ECONNREFUSED');
  expect(await advice(1)).toMatch(/^The target cannot be reached; it is tried again by itself/);
  await registry.directory.start();
  await becomes(1, 'SUCCESS');

  await query('update staffetta.target set admitted = false'); // as if it were new
  await query(`update registry.person set surname = 'Gordon' where id = 1`);
  expect((await becomes(1, 'ATTESA'))?.note).toContain('staffetta adopt directory');
  expect(await advice(1)).toMatch(/^Do what the reason of the target says/);
});
