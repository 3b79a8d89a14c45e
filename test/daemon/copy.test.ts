import pg from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { Daemon } from '../../src/daemon.ts';
import { runOnce } from '../../src/once.ts';
import { createRegistry, keepLog, type Registry } from '../setup/registry.ts';
import { until } from '../setup/until.ts';

let registry: Registry;
/** A copy of the registry's database, made while nobody was connected. */
let copy: { url: string; query(sql: string): Promise<unknown[]>; drop(): Promise<void> };
let daemon: Daemon | undefined;

beforeEach(async () => {
  registry = await createRegistry();
  const first = await registry.start();
  await registry.query(`insert into registry.person (id, uid) values (1, 'ada'), (2, 'bob')`);
  await registry.calm();
  await first.stop();
  copy = await copyDatabase(registry.url);
});
afterEach(async () => {
  await daemon?.stop();
  daemon = undefined;
  await copy.drop();
  await registry.close();
});

async function copyDatabase(url: string) {
  const name = new URL(url).pathname.slice(1);
  const [postgres, copied] = [new URL(url), new URL(url)];
  postgres.pathname = 'postgres';
  copied.pathname = `${name}_copy`;
  const administer = async (...statements: string[]) => {
    const client = new pg.Client({ connectionString: postgres.href });
    await client.connect();
    for (const statement of statements) await client.query(statement);
    await client.end();
  };
  await administer(
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}'`,
    `create database ${name}_copy template ${name}`,
  );
  const pool = new pg.Pool({ connectionString: copied.href, max: 1 });
  pool.on('error', () => {});
  return {
    url: copied.href,
    query: async (sql: string) => (await pool.query(sql)).rows,
    drop: async () => {
      await pool.end();
      await administer(`drop database ${name}_copy with (force)`);
    },
  };
}

const loadAt = (url: string) => loadConfig(registry.file, { ...registry.env, DATABASE_URL: url });
const startAt = async (url: string) => {
  const lines: string[] = [];
  daemon = await Daemon.start(loadAt(url), { log: keepLog(lines) });
  return lines;
};
const surnameIs = (surname: string) =>
  until(
    () => registry.person(1),
    (entry) => entry?.sn?.[0] === surname,
    { what: `that the entry has the surname ${surname}` },
  );

describe('a daemon on a copy of the database', () => {
  test('delivers nothing and says so, until the copy is accepted', async () => {
    const told = await startAt(copy.url);
    expect(told.join('')).toContain('this is a copy of the database');
    await copy.query(
      `update registry.person set surname = 'Copied' where id = 1; delete from registry.person where id = 2`,
    );
    await until(
      () =>
        copy.query(
          `select state, message, (select count(*)::int from staffetta.delivery) as owed from staffetta.instance`,
        ),
      ([row]) => JSON.stringify(row)?.includes('"owed":2') === true,
      { what: 'that the changes are owed' },
    );
    await copy.query('select staffetta.sweep()');
    expect(await copy.query('select state from staffetta.instance')).toEqual([{ state: 'refused' }]);
    expect(
      await copy.query(
        `select attention[1] like 'a daemon delivers nothing: this is a copy%' as said from staffetta.status`,
      ),
    ).toEqual([{ said: true }, { said: true }]);
    expect([(await registry.person(1))?.sn, (await registry.person(2))?.uid]).toEqual([['Rossi'], ['bob']]);

    await copy.query(`select staffetta.accept_database('${new URL(copy.url).host}')`);
    await surnameIs('Copied');
  });

  test('does not deliver once, either', async () => {
    await copy.query(`update registry.person set surname = 'Copied' where id = 1`);
    const once = runOnce(loadAt(copy.url), { log: keepLog([]), stop: new AbortController().signal });
    await expect(once).rejects.toThrow('this is a copy of the database');
  });
});

test('the same database under another name is not delivered from until that name is accepted', async () => {
  const renamed = new URL(registry.url);
  renamed.hostname = 'localhost';
  const told = await startAt(renamed.href);
  expect(told.join('')).toContain(`the database is reached at ${renamed.host}`);
  await registry.query(`update registry.person set surname = 'Verdi' where id = 1`);
  await registry.query(`select staffetta.accept_database($1)`, [renamed.host]);
  await surnameIs('Verdi');
});

describe('after a failover or a restore', () => {
  test('an entry is read before the link is trusted, and is put right where the link forgot a change', async () => {
    await registry.directory.modify(
      `dn: uid=ada,ou=people,${registry.directory.suffix}\nchangetype: modify\nreplace: roomNumber\nroomNumber: 99\n`,
    );
    await registry.query('update staffetta.installation set timeline = timeline - 1');
    const told = await startAt(registry.url);
    expect(told.join('')).toContain('the database was restored or has failed over');
    await registry.query(`update registry.person set surname = 'Verdi' where id = 1`);
    await surnameIs('Verdi');
    expect((await registry.person(1))?.roomNumber).toBeUndefined();
  });

  test('a removal waits for the reconcile that is owed', async () => {
    await registry.query('update staffetta.installation set timeline = timeline - 1');
    await registry.query(`select staffetta.note_timeline()`);
    await registry.query('update staffetta.target set state = $1', ['paused']); // so that no reconcile is done yet
    await registry.query('delete from registry.person where id = 2');
    await startAt(registry.url);
    await registry.query(`update staffetta.target set state = 'active'`);
    await until(
      () =>
        registry.query(
          'select key, reconcile::int from staffetta.delivery right join staffetta.route using (target, entity)',
        ),
      (rows) => rows.every(({ key, reconcile }) => key === null && reconcile === 0),
      { what: 'that the reconcile is done, and then the removal', patience: 40_000 },
    );
    expect(await registry.person(2)).toBeUndefined();
  });
});
