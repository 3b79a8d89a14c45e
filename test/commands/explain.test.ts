import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { explainCommand } from '../../src/commands/explain.ts';
import { createRegistry, type Registry } from '../setup/registry.ts';
import { until } from '../setup/until.ts';
import { runHere } from './run-here.ts';

let registry: Registry;
beforeAll(async () => {
  registry = await createRegistry();
  await registry.configure(['dn: "uid', 'only: "id < 100"\n        dn: "uid']);
  await registry.apply();
  await registry.start();
  await registry.query(`
    insert into registry.person (id, uid, given, password) values (1, 'ada', 'Ada', 'geheim'), (2, 'bob', 'Bob', null), (100, 'guest', 'G', null);
    insert into registry.team values (1, 'maths'); insert into registry.member values (1, 1)`);
  await registry.calm();
});
afterAll(() => registry.close());

async function explain(...args: readonly string[]): Promise<string> {
  const { stdout, stderr } = await runHere(explainCommand(), [...args, '--config', registry.file], registry.env);
  expect(stderr).toBe('');
  return stdout;
}

describe('explain', () => {
  test('says how an identity came by its entry, and why another has none', async () => {
    const text = await explain('person', '1');
    expect(text).toMatch(/link +uid=ada,.*\(active, .*\)\n +created by Staffetta/);
    expect(await explain('person', '9')).toContain('not in the view registry.v_person');
    expect(await explain('person', '100')).toContain('in the view, but does not meet "only": id < 100');
  });

  test('--live compares the entry on the target, and never shows a secret', async () => {
    const before: unknown = JSON.parse(await explain('person', '1', '--live', '--json'));
    expect(before).toMatchObject([
      { live: { error: null, differing: [], attributes: { cn: ['Ada Rossi'], userPassword: ['********'] } } },
    ]);
    const entry = await registry.person(1);
    await registry.directory.modify(
      `dn: ${entry?.dn}\nchangetype: modify\nreplace: cn\ncn: Eve\n-\nreplace: userPassword\nuserPassword: stolen\n-\ndelete: givenName\n`,
    );
    const text = await explain('person', '1', '--live');
    expect(text).toContain('≠ cn: Eve');
    expect(text).toContain('≠ userPassword: ********');
    expect(text).toContain('≠ givenName: (nothing)');
    expect(text).toContain(
      '→ The entry on the target is not as Staffetta left it: "staffetta replay person 1" mends it',
    );
    expect(text).not.toMatch(/stolen|geheim/);
    expect(await registry.query('select * from staffetta.delivery')).toEqual([]);
  });

  test('--live says of an entry that is gone that there is none, and of members which are not ours', async () => {
    const team = await registry.team(1);
    await registry.directory.modify(`dn: ${team?.dn}\nchangetype: modify\nadd: member\nmember: cn=stranger\n`);
    expect(JSON.parse(await explain('team', '1', '--live', '--json'))).toMatchObject([
      { live: { differing: ['member'] } },
    ]);
    const bob = await registry.person(2);
    await registry.directory.modify(`dn: ${bob?.dn}\nchangetype: delete\n`);
    expect(await explain('person', '2', '--live')).toMatch(/live +no entry\n/);
  });

  test('names both of two who should have one remote id, whomever one asks about', async () => {
    await registry.query(`insert into registry.person (id, uid) values (3, 'ada')`);
    await until(
      () => registry.query(`select state from staffetta.delivery where key = '3'`),
      ([row]) => row?.state === 'parked',
      { what: 'that the second is parked' },
    );
    const message = 'is the remote id of person 1, which keeps it; give one of the two another';
    expect(await explain('person', '3')).toContain(message);
    expect(await explain('person', '1')).toMatch(
      new RegExp(`person 3 wants its remote id and is parked: .*${message}`),
    );
    await registry.query(`update registry.person set uid = 'eve' where id = 3`);
    await registry.calm();
  });

  test('says that changes were captured that are not ingested yet', async () => {
    await registry.query(`update staffetta.installation set revision = 'another'`);
    await registry.query(`update registry.person set room = '7' where id = 1`);
    expect(await explain('person', '1')).toContain('a change of registry.person is not ingested yet');
  });
});
