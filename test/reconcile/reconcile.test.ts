import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { withRoutes } from '../../src/commands/routes.ts';
import { loadConfig } from '../../src/config/load.ts';
import { createPool } from '../../src/database/pool.ts';
import type { Queryable } from '../../src/database/transaction.ts';
import { alone } from '../../src/reconcile/alone.ts';
import { reconcile } from '../../src/reconcile/reconcile.ts';
import { openProxy } from '../convergence/proxy.ts';
import { createRegistry, type Registry } from '../setup/registry.ts';
import { until } from '../setup/until.ts';
import { adoptAll, bringUpToDate, compare, drift } from './comparing.ts';

let registry: Registry;
beforeAll(async () => {
  registry = await createRegistry();
  await registry.query(`
    insert into registry.person (id, uid, given, surname, password) select n, 'user' || n, 'Ada', 'Rossi', 'geheim' || n from generate_series(1, 12) n`);
  await registry.query(`
    insert into registry.team values (1, 'engineers'), (2, 'nobodies'); insert into registry.member select 1, n from generate_series(1, 5) n`);
  await bringUpToDate(registry);
});
afterAll(() => registry.close());

/** Whatever a test left is mended. */
beforeEach(async () => {
  for (const entity of ['person', 'team']) await compare(registry, entity, { repair: true });
  await registry.query('delete from staffetta.event');
  await bringUpToDate(registry);
  const strays = await registry.directory.entries('(&(objectClass=inetOrgPerson)(!(employeeNumber=*)))');
  for (const dn of strays.keys()) await registry.directory.modify(`dn: ${dn}\nchangetype: delete\n`);
  await registry.query('truncate staffetta.reconcile_run cascade');
});

const dnOf = (id: number) => `uid=user${id},ou=people,${registry.directory.suffix}`;
const modify = (id: number, change: string) =>
  registry.directory.modify(`dn: ${dnOf(id)}\nchangetype: modify\n${change}`);
const stranger = (uid: string, ou = 'people') =>
  `dn: uid=${uid},ou=${ou},${registry.directory.suffix}\nobjectClass: inetOrgPerson\ncn: ${uid}\nsn: ${uid}\n`;

describe('a directory that somebody changed by hand', () => {
  test('is told apart by what is missing, changed, misplaced and unexpected', async () => {
    const { suffix } = registry.directory;
    await modify(1, 'replace: sn\nsn: Bianchi\n-\nadd: mail\nmail: x@example.org\n');
    await registry.directory.modify(`dn: ${dnOf(2)}\nchangetype: delete\n`);
    await registry.directory.modify(`dn: ${dnOf(3)}\nchangetype: modrdn\nnewrdn: uid=other\ndeleteoldrdn: 1\n`);
    await registry.directory.add(stranger('stranger'));
    const found = await compare(registry, 'person');
    expect(found).toMatchObject({
      complete: true,
      seen: 12,
      missing: 1,
      changed: 1,
      misplaced: 1,
      unexpected: 1,
      repaired: 0,
    });
    expect(await drift(registry)).toEqual([
      'person 1 changed (mail, sn)',
      'person 2 missing',
      'person 3 misplaced (uid)',
      `person uid=stranger,ou=people,${suffix} unexpected`,
    ]);
  });

  test('is repaired by deliveries, but for entries that nobody accounts for', async () => {
    await modify(1, 'replace: sn\nsn: Bianchi\n');
    await registry.directory.modify(`dn: ${dnOf(2)}\nchangetype: delete\n`);
    await registry.directory.modify(`dn: ${dnOf(3)}\nchangetype: modrdn\nnewrdn: uid=other\ndeleteoldrdn: 1\n`);
    await registry.directory.add(stranger('stranger'));
    const found = await compare(registry, 'person', { repair: true });
    expect(found).toMatchObject({ missing: 1, changed: 1, misplaced: 1, unexpected: 1, repaired: 3 });
    await bringUpToDate(registry);
    await compare(registry, 'person');
    expect(await drift(registry)).toEqual([`person uid=stranger,ou=people,${registry.directory.suffix} unexpected`]);
    expect((await registry.person(3))?.dn).toEqual([dnOf(3)]);
  });

  test('does not show the value of a secret, only that it differs', async () => {
    await modify(4, 'replace: userPassword\nuserPassword: anders\n');
    await compare(registry, 'person');
    expect(await drift(registry)).toEqual(['person 4 changed (userPassword)']);
    const rows = await registry.query('select * from staffetta.drift');
    expect(JSON.stringify(rows)).not.toMatch(/geheim|anders/);
  });

  test('finds entries that were moved away or are no longer listed', async () => {
    await registry.directory.modify(
      `dn: ${dnOf(5)}\nchangetype: modrdn\nnewrdn: uid=user5\ndeleteoldrdn: 1\nnewsuperior: ou=former,${registry.directory.suffix}\n`,
    );
    await compare(registry, 'person');
    expect(await drift(registry)).toEqual(['person 5 misplaced']);
  });

  test('compares members by the entries that they stand for', async () => {
    const dn = `cn=engineers,ou=groups,${registry.directory.suffix}`;
    await registry.directory.modify(`dn: ${dn}\nchangetype: modify\ndelete: member\nmember: ${dnOf(1)}\n`);
    await compare(registry, 'team');
    expect(await drift(registry)).toEqual(['team 1 changed (member)']);
  });

  test('that only writes names in other case and with spaces has not drifted', async () => {
    await modify(6, 'replace: sn\nsn: ROSSI\n');
    await compare(registry, 'person');
    expect(await drift(registry)).toEqual([]);
  });
});

describe('what is on its way', () => {
  test('is no drift: a change that a delivery is owed for, or that was made during the reading', async () => {
    await registry.query(`update registry.person set surname = 'Verdi' where id = 7`);
    await registry.query(`insert into registry.person (id, uid) values (13, 'user13')`);
    await registry.query(
      `insert into staffetta.delivery (target, entity, key) select 'directory', 'person', unnest(array['13', '7'])`,
    );
    const found = await compare(registry, 'person');
    expect(found).toMatchObject({ under_way: 2 });
    expect(await drift(registry)).toEqual([]);
    await registry.query('delete from registry.person where id = 13');
  });

  test('is waited for where a daemon is about to ingest it', async () => {
    await registry.query(
      `insert into staffetta.instance (instance, host, pid, version, revision, state) values (gen_random_uuid(), 'h', 1, 'v', 'r', 'running')`,
    );
    await registry.query(`update registry.person set surname = 'Gialli'`);
    const comparing = compare(registry, 'person');
    await until(
      () =>
        registry.query(
          `select from pg_stat_activity where datname = current_database() and application_name = 'test reconcile' and query like 'select from staffetta.event%'`,
        ),
      ({ length }) => length > 0,
      { what: 'that it waits for the event' },
    );
    await registry.query(
      `with e as (delete from staffetta.event) insert into staffetta.delivery (target, entity, key) select 'directory', 'person', id::text from registry.person order by 3`,
    );
    expect(await comparing).toMatchObject({ complete: true, changed: 0, under_way: 12 });
    await registry.query('delete from staffetta.instance');
  });
});

describe('an incomplete reading', () => {
  test('concludes nothing, and the last report stays', async () => {
    await modify(1, 'replace: sn\nsn: Neri\n');
    await compare(registry, 'person');
    await registry.directory.modify(`dn: ${dnOf(2)}\nchangetype: delete\n`);
    await registry.directory.stop();
    try {
      const found = await compare(registry, 'person', { repair: true });
      expect(found).toMatchObject({ complete: false, missing: 0, repaired: 0 });
      expect(found.error).toContain('ECONNREFUSED');
    } finally {
      await registry.directory.start();
    }
    expect(await drift(registry)).toEqual(['person 1 changed (sn)']);
    expect(await registry.query('select from staffetta.delivery')).toEqual([]);
  });

  test('is one that the connection was cut during, however much had been read', async () => {
    await registry.directory.add(Array.from({ length: 1200 }, (_, n) => stranger(`stranger${n}`)).join('\n'));
    const proxy = await openProxy(registry.directory.url);
    const behindProxy = {
      ...registry,
      load: () => loadConfig(registry.file, { ...registry.env, LDAP_URL: proxy.url }),
    };
    try {
      await modify(1, 'replace: sn\nsn: Neri\n');
      const whole = await compare(behindProxy, 'person');
      expect(whole).toMatchObject({ complete: true, seen: 1212, changed: 1, unexpected: 1200 });
      await registry.directory.modify(`dn: ${dnOf(2)}\nchangetype: delete\n`);
      let read = 0;
      const found = await compare(behindProxy, 'person', {
        repair: true,
        progress: (seen) => {
          read = seen;
          proxy.cut();
        },
      });
      expect(read).toBeGreaterThan(0);
      expect(read).toBeLessThan(1212);
      expect(found).toMatchObject({ complete: false, missing: 0, repaired: 0 });
      expect(await registry.query('select from staffetta.delivery')).toEqual([]);
      expect(await drift(registry)).toHaveLength(1201); // of the last reading that was complete
      const adopted = await adoptAll(behindProxy, 'person', { write: true, progress: () => proxy.cut() });
      expect(adopted).toMatchObject({ adopted: 0, error: expect.any(String) });
    } finally {
      await proxy.close();
      await registry.query(`truncate staffetta.reconcile_run cascade`);
      await registry.directory.modify(
        Array.from(
          { length: 1200 },
          (_, n) => `dn: uid=stranger${n},ou=people,${registry.directory.suffix}\nchangetype: delete\n`,
        ).join('\n'),
      );
    }
  });

  test('is one that another configuration was applied during', async () => {
    const revision = await registry.query<{ revision: string }>('select revision from staffetta.installation');
    const found = await compare(registry, 'person', {
      repair: true,
      progress: () => void registry.query(`update staffetta.installation set revision = 'another'`),
    });
    await registry.query('update staffetta.installation set revision = $1', [revision[0]?.revision]);
    expect(found).toMatchObject({ complete: false, error: 'another configuration was applied meanwhile' });
  });
});

test('a row of the view that fails, and one without a name, are unreadable; the others are compared', async () => {
  await registry.query(`alter table registry.person add broken int not null default 1`);
  await registry.query(`
    create or replace view registry.v_person as select id, uid, given, (array[surname])[1 / broken] as surname, room, password, photo, area, hidden,
      array(select e.address from registry.email e where e.person_id = p.id order by 1) as emails from registry.person p where not hidden`);
  await registry.query(`alter table registry.person disable trigger user`);
  try {
    await registry.query(`update registry.person set broken = 0 where id = 1`);
    await registry.query(`update registry.person set uid = null where id = 2`);
    await modify(3, 'replace: sn\nsn: Neri\n');
    await registry.directory.modify(`dn: ${dnOf(4)}\nchangetype: delete\n`);
    const found = await compare(registry, 'person');
    expect(found).toMatchObject({ complete: true, unreadable: 2, changed: 1, missing: 1 });
    expect(await drift(registry)).toEqual([
      'person 1 unreadable',
      'person 2 unreadable',
      'person 3 changed (sn)',
      'person 4 missing',
    ]);
    const notes = await registry.query<{ note: string }>(
      `select note from staffetta.drift where what = 'unreadable' order by key`,
    );
    expect(notes[0]?.note).toBe('division by zero');
    expect(notes[1]?.note).toContain('NULL or empty');
  } finally {
    await registry.query(`update registry.person set broken = 1, uid = 'user' || id`);
    await registry.query(`alter table registry.person enable trigger user`);
  }
});

test('an identity that has two rows in the view is unreadable, though its entry is what one of them says', async () => {
  const view = (more: string) =>
    registry.query(`
      create or replace view registry.v_person as
        select id, uid, given, surname, room, password, photo, area, hidden,
          array(select e.address from registry.email e where e.person_id = p.id order by 1) as emails
        from (select * from registry.person ${more}) p where not hidden`);
  await view(`union all select * from registry.person where id = 5`);
  try {
    expect(await compare(registry, 'person')).toMatchObject({ complete: true, unreadable: 1, changed: 0 });
    const notes = await registry.query<{ note: string }>('select note from staffetta.drift');
    expect(notes).toEqual([{ note: 'the view has 2 rows with key 5; expected one' }]);
  } finally {
    await view('');
  }
});

test('of entries that are right nothing more is read than what is desired', async () => {
  await modify(6, 'replace: sn\nsn: Neri\n');
  const pool = createPool(registry.url, 'test reconcile');
  const asked: unknown[] = [];
  try {
    const found = await withRoutes(pool, registry.load(), 'directory', 'person', async (session, [chosen]) => {
      if (!chosen) throw new Error('there is no route directory person');
      const spying: Queryable = {
        query: (statement, values) => {
          if (typeof statement !== 'string' && statement.name?.startsWith('load_')) asked.push(statement.values?.[1]);
          return session.query(statement, values);
        },
      };
      const { signal: stop } = new AbortController();
      return await reconcile(spying, registry.load(), chosen.destination, chosen.route, { repair: false, stop });
    });
    expect(found).toMatchObject({ complete: true, seen: 12, changed: 1 });
    expect(asked).toEqual([['6']]);
  } finally {
    await pool.end();
  }
});

describe('entries that no link tells of, as after a restore to an earlier point in time', () => {
  const forget = (...ids: number[]) =>
    registry.query(
      `with l as (delete from staffetta.link where entity = 'person' and key = any($1))
       delete from staffetta.remote_id where entity = 'person' and key = any($1)`,
      [ids.map(String)],
    );

  test('are adopted by a repair, if Staffetta created them and an identity should stand there', async () => {
    const before = await registry.person(9);
    await forget(9);
    const found = await compare(registry, 'person', { repair: true });
    expect(found).toMatchObject({ unlinked: 1, unexpected: 0, repaired: 1 });
    await bringUpToDate(registry);
    expect(await registry.query(`select from staffetta.link where key = '9'`)).toHaveLength(1);
    expect((await registry.person(9))?.entryUUID).toEqual(before?.entryUUID);
    expect(await registry.query(`select from staffetta.failures where failure = 'parked'`)).toEqual([]);
  });

  test('are unexpected if no identity should stand there', async () => {
    await registry.query('alter table registry.person disable trigger user');
    await registry.query('delete from registry.person where id = 10');
    await registry.query('alter table registry.person enable trigger user');
    await forget(10);
    const found = await compare(registry, 'person', { repair: true });
    expect(found).toMatchObject({ unexpected: 1, repaired: 0 });
    const [row] = await registry.query<{ note: string }>('select note from staffetta.drift');
    expect(row?.note).toBe("Staffetta's account created it");
    expect(await registry.person(10)).toBeDefined();
    await registry.directory.modify(`dn: ${dnOf(10)}\nchangetype: delete\n`);
  });

  test('lower what is owed by what was owed at the beginning', async () => {
    await registry.query(`update staffetta.route set reconcile = 2`);
    await compare(registry, 'person', {
      repair: true,
      progress: () => void registry.query(`update staffetta.route set reconcile = 3`),
    });
    const owed = await registry.query<{ reconcile: string }>(
      `select reconcile from staffetta.route where entity = 'person'`,
    );
    expect(owed).toEqual([{ reconcile: '1' }]);
    await compare(registry, 'team');
    const still = await registry.query<{ reconcile: string }>(
      `select reconcile from staffetta.route where entity = 'team'`,
    );
    expect(still).toEqual([{ reconcile: '3' }]);
    await registry.query(`update staffetta.route set reconcile = 0`);
  });
});

test('one reconcile of a route runs at a time', async () => {
  const pool = createPool(registry.url, 'test alone');
  const loaded = registry.load();
  const other = await withRoutes(pool, loaded, 'directory', 'person', async (session, [chosen]) => {
    expect.assert(chosen !== undefined);
    const { destination, route } = chosen;
    return alone<unknown>(session, loaded, destination, route, String, () => compare(registry, 'person'));
  });
  await pool.end();
  expect(other).toMatchObject({ run: null, error: 'a reconcile of it is under way already' });
});
