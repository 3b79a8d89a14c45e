import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createLog } from '../../src/log.ts';
import { rescanInParts, rescanOwed, rescanRoute } from '../../src/reconcile/rescan.ts';
import { createInstallation, type Installation } from './installation.ts';

let db: Installation;
beforeAll(async () => {
  db = await createInstallation();
});
afterAll(() => db.close());
beforeEach(() => empty());

async function empty(): Promise<void> {
  await db.database.query(
    `truncate registry.person, registry.team, registry.member, staffetta.delivery, staffetta.link, staffetta.reference`,
  );
  await db.database.query('update staffetta.route set rescan = 0, error = null');
}

const rescan = (target: string | null = null, entity: string | null = null) =>
  db.query<{ target: string; entity: string; compared: string; enqueued: string; error: string | null }>(
    'select * from staffetta.rescan($1, $2)',
    [target, entity],
  );

/** Numbers of parts: one is a rescan at once. */
const parts = fc.constantFrom(1, 2, 3);

/** A rescan of what is not owed, by so many sessions side by side; answers with how many it enqueued. */
async function rescanBy(sessions: number, target: string, entity: string): Promise<number> {
  if (sessions === 1) return Number((await rescan(target, entity))[0]?.enqueued);
  await db.query('select staffetta.look_again($1, $2)', [target, entity]);
  const found = await rescanInParts(db.pool, { target, entity }, sessions);
  return found?.[0]?.enqueued ?? Number.NaN;
}

const owed = async (target: string, entity: string) =>
  (
    await db.query<{ key: string }>(
      'select key from staffetta.delivery where (target, entity) = ($1, $2) order by key collate "C"',
      [target, entity],
    )
  ).map(({ key }) => key);

/** Links of everybody who should have one, as settling leaves them. */
const linkPeople = (target: string) =>
  db.query(
    `insert into staffetta.link (target, entity, key, remote_id, attributes, fingerprint)
     select '${target}', 'person', key::text, remote_id, attributes, fingerprint from staffetta.desired_${target}_person
     where not released and remote_id is not null`,
  );

describe('a rescan', () => {
  test('enqueues everybody on an empty target, as bulk only when they are many', async () => {
    await db.database.query(`insert into registry.person (id, uid) select i, 'u' || i from generate_series(1, 501) i`);
    expect(await rescan('directory', 'person')).toEqual([
      { target: 'directory', entity: 'person', compared: '501', enqueued: '501', error: null },
    ]);
    expect(await db.query('select distinct priority, last_cause, unsure from staffetta.delivery')).toEqual([
      { priority: 1, last_cause: 'rescan', unsure: false },
    ]);

    await db.query('delete from staffetta.delivery');
    await db.database.query('delete from registry.person where id > 500');
    await rescan('directory', 'person');
    expect(await db.query('select distinct priority from staffetta.delivery')).toEqual([{ priority: 0 }]);
  });

  test('finds nothing where everything is as it should be', async () => {
    await db.database.query(
      `insert into registry.person (id, uid, password) values (1, 'ada', 'geheim'), (2, 'bob', null)`,
    );
    await linkPeople('directory');
    await linkPeople('badge');
    expect((await rescan()).map(({ enqueued }) => enqueued)).toEqual(['0', '0', '0']);
  });

  test('has what is under way looked at once more: it may have been loaded before, and has no link yet', async () => {
    await db.query(
      `insert into staffetta.delivery (target, entity, key, token, claimed_rev, lease_until)
       values ('directory', 'person', '1', gen_random_uuid(), 1, now() + interval '1 min'), ('directory', 'person', '2', null, null, null)`,
    );
    await rescan('directory', 'person');
    expect(await db.query('select key, rev, claimed_rev from staffetta.delivery order by key')).toEqual([
      { key: '1', rev: '2', claimed_rev: '1' },
      { key: '2', rev: '1', claimed_rev: null },
    ]);
  });

  test('is not the cause of what was under way already, though that differs', async () => {
    await db.database.query(`insert into registry.person (id, uid) values (1, 'ada'), (2, 'bob')`);
    await db.query(
      `insert into staffetta.delivery (target, entity, key, token, claimed_rev, state, parked_for, last_cause, last_actor, last_xid)
       values ('directory', 'person', '1', gen_random_uuid(), 1, 'pending', null, 'adopt', 'carla', '7'),
         ('directory', 'person', '2', null, null, 'parked', 'another desired state', 'adopt', 'carla', '7')`,
    );
    await rescan('directory', 'person');
    expect(
      await db.query('select key, last_cause, last_actor, last_xid from staffetta.delivery order by key'),
    ).toMatchObject([
      { key: '1', last_cause: 'adopt', last_actor: 'carla', last_xid: '7' },
      { key: '2', last_cause: 'rescan', last_xid: null },
    ]);
  });

  test('leaves alone who is going to be looked at, so that they can be claimed meanwhile', async () => {
    await db.database.query(`insert into registry.person (id, uid) values (1, 'ada'), (2, 'bob')`);
    await db.query(
      `insert into staffetta.delivery (target, entity, key, state) values ('directory', 'person', '1', 'pending'), ('directory', 'person', '2', 'parked')`,
    );
    const client = await db.pool.connect();
    try {
      await client.query(`begin; select staffetta.rescan('directory', 'person')`);
      const free = await db.query('select key from staffetta.delivery order by key for update skip locked');
      expect(free).toEqual([{ key: '1' }]);
      await client.query('commit');
    } finally {
      client.release();
    }
  });

  test('that several find owed is done once', async () => {
    await db.query('update staffetta.route set rescan = 1');
    const silent = createLog('silent');
    const done = await Promise.all(Array.from({ length: 3 }, () => rescanOwed(db.pool, silent, false)));
    expect(
      done
        .flat()
        .map(({ target, entity }) => `${target} ${entity}`)
        .sort(),
    ).toEqual(['badge person', 'directory person', 'directory team']);
  });

  test('lowers what was owed when it began, and nothing that came since', async () => {
    await db.query(`update staffetta.route set rescan = 2 where target = 'badge'`);
    const other = new pg.Client({ connectionString: db.owner });
    await other.connect();
    try {
      await other.query('begin');
      await other.query(`update staffetta.route set rescan = rescan + 1 where target = 'badge'`);
      const running = rescan('badge');
      await expect
        .poll(
          async () =>
            (await db.query(`select from pg_locks where not granted and locktype in ('transactionid', 'tuple')`))
              .length,
        )
        .toBeGreaterThan(0);
      await other.query('commit');
      await running;
    } finally {
      await other.end();
    }
    expect(await db.query(`select rescan from staffetta.route where target = 'badge'`)).toEqual([{ rescan: '1' }]);
  });

  test('waits for another one before it locks what is under way, which that one may want', async () => {
    await db.database.query(`insert into registry.person (id, uid) values (1, 'anna')`);
    await rescan('directory', 'person');
    await db.query(`update staffetta.delivery set token = gen_random_uuid(), claimed_rev = rev`);
    const other = await db.pool.connect();
    try {
      await other.query('begin');
      await other.query(`select staffetta.lock_rescan('directory', 'person')`);
      const waiting = rescan('directory', 'person');
      await vi.waitFor(async () =>
        expect(
          await db.query(
            `select from pg_locks join pg_database d on d.oid = database
             where locktype = 'advisory' and not granted and datname = current_database()`,
          ),
        ).toHaveLength(1),
      );
      await other.query('update staffetta.delivery set rev = rev + 1');
      await other.query('commit');
      expect(await waiting).toHaveLength(1);
    } finally {
      other.release();
    }
  });

  test('of a route whose view is missing says so there, still owes it, and does the others', async () => {
    await db.database.query(`insert into registry.person (id, uid) values (1, 'ada')`);
    await db.query('update staffetta.route set rescan = 1');
    await db.database.query('alter view registry.v_team rename to v_old');
    const rows = await rescan();
    await db.database.query('alter view registry.v_old rename to v_team');
    expect(rows).toEqual([
      { target: 'badge', entity: 'person', compared: '1', enqueued: '1', error: null },
      { target: 'directory', entity: 'person', compared: '1', enqueued: '1', error: null },
      {
        target: 'directory',
        entity: 'team',
        compared: '0',
        enqueued: '0',
        error: 'relation "registry.v_team" does not exist',
      },
    ]);
    const routes = 'select entity, rescan, error from staffetta.route order by target, entity';
    expect((await db.query(routes))[2]).toEqual({
      entity: 'team',
      rescan: '1',
      error: 'relation "registry.v_team" does not exist',
    });

    await rescan();
    expect((await db.query(routes))[2]).toEqual({ entity: 'team', rescan: '0', error: null });
  });

  test('of a view with a row that fails compares the others, and enqueues the failing thousand whole', async () => {
    await db.database.query(
      `insert into registry.person (id, uid, room) select i, 'u' || i, 1 from generate_series(1, 3000) i`,
    );
    await linkPeople('directory');
    await db.database.query('update registry.person set room = 0 where id = 7');
    const [row] = await rescan('directory', 'person');
    expect(row).toEqual({ target: 'directory', entity: 'person', compared: '3000', enqueued: '1000', error: null });
    expect(await owed('directory', 'person')).toContain('7');
  });

  test('of many links is begun by two sessions, unless it is owed, failed before, or the server wants nothing in parallel', async () => {
    const begin = async () =>
      (await db.query<{ parts: number }>(`select staffetta.rescan_parts('directory', 'person') as parts`))[0]?.parts;
    const fill = (count: number) =>
      db.query(
        `insert into staffetta.link (target, entity, key, remote_id, attributes) select 'directory', 'person', i::text, i::text, '{}' from generate_series(1, $1::int) i
         on conflict do nothing`,
        [count],
      );
    await fill(20_000);
    expect(await begin()).toBe(1);
    await fill(20_001);
    expect(await begin()).toBe(2);
    expect(
      (
        await db.query<{ parts: number }>(
          `select staffetta.rescan_parts('directory', 'person') as parts from set_config('max_parallel_workers_per_gather', '0', true)`,
        )
      )[0]?.parts,
    ).toBe(1);
    await db.query('update staffetta.route set rescan = 1');
    expect(await begin()).toBe(1);
    await db.query(`update staffetta.route set rescan = 0, error = 'no such view'`);
    expect(await begin()).toBe(1);
  });

  test('in parts leaves what differs too much, or cannot be computed, to a rescan at once', async () => {
    const route = { target: 'directory', entity: 'person' };
    await db.database.query(
      `insert into registry.person (id, uid, room) select i, 'u' || i, 1 from generate_series(1, 30000) i`,
    );
    expect(await rescanInParts(db.pool, route, 2)).toBeUndefined();
    await linkPeople('directory');
    expect(await rescanRoute(db.pool, route)).toEqual([{ ...route, compared: 30_000, enqueued: 0, error: null }]);
    await db.database.query('update registry.person set name = id where id <= 3');
    expect(await rescanRoute(db.pool, route)).toEqual([{ ...route, compared: 30_000, enqueued: 3, error: null }]);
    await db.database.query('update registry.person set room = 0 where id = 7');
    expect(await rescanInParts(db.pool, route, 2)).toBeUndefined();
    expect(await rescanRoute(db.pool, route)).toEqual([{ ...route, compared: 30_000, enqueued: 1_000, error: null }]);
  });

  test('refuses a target or entity that is not known, and says which are', async () => {
    await expect(rescan('directry')).rejects.toThrow('There is no target "directry". Known targets: badge, directory.');
    await expect(rescan('badge', 'team')).rejects.toThrow(
      'There is no entity "team" on target "badge". Known entities: person.',
    );
  });
});

const person = fc.record({
  row: fc.constantFrom('absent', 'hidden', 'guest', 'in'),
  link: fc.constantFrom('none', 'same', 'other', 'disabled', 'kept'),
  /** Behind: it waits for another target. */
  delivery: fc.constantFrom('none', 'pending', 'claimed', 'parked', 'waiting', 'behind', 'held'),
  /** Whether the desired state that was parked is still the same. */
  parkedFor: fc.constantFrom('this', 'another'),
  /** Days since its absence was first proven. */
  absent: fc.constantFrom(null, 1, 100),
});
const step = (action: 'disable' | 'delete', days: number) => ({ do: action, after: days * 86_400 });
const route = fc.record({
  deprovision: fc.constantFrom(
    [],
    [step('disable', 0)],
    [step('delete', 0)],
    [step('delete', 90)],
    [step('disable', 0), step('delete', 90)],
    [step('disable', 90), step('delete', 180)],
  ),
  owed: fc.boolean(),
});
const people = fc.array(person, { minLength: 1, maxLength: 8 });
const team = fc.record({
  linked: fc.boolean(),
  /** For each person: is a member in the view, and what the directory was last given. */
  members: fc.array(
    fc.record({ wanted: fc.boolean(), recorded: fc.constantFrom('no', 'nobody', 'right', 'stale', 'kept') }),
    {
      maxLength: 8,
    },
  ),
});

const empties = fc.constantFrom('placeholder', 'keep', 'delete');

describe('whatever the people, links and deliveries', () => {
  test('a rescan enqueues exactly the keys that differ, and has claimed ones looked at once more', async () => {
    await fc.assert(
      fc.asyncProperty(people, route, parts, async (people, { deprovision, owed }, sessions) => {
        await empty();
        await db.query(
          `update staffetta.route set deprovision = $1, rescan = $2 where (target, entity) = ('directory', 'person')`,
          [JSON.stringify(deprovision), owed ? 1 : 0],
        );
        const rows = people.map((person, index) => ({ ...person, id: index + 1 }));
        await db.database.query(
          `insert into registry.person (id, uid, guest, hidden) select id, 'u' || id, row = 'guest', row = 'hidden'
           from jsonb_to_recordset($1) p(id bigint, row text) where row <> 'absent'`,
          [JSON.stringify(rows)],
        );
        await db.query(
          `insert into staffetta.link (target, entity, key, remote_id, attributes, fingerprint, state, absent_since)
           select 'directory', 'person', id::text, 'uid=' || id, '{}', case when link <> 'other' then d.fingerprint else 'other' end,
             case when link in ('disabled', 'kept') then link else 'active' end, now() - make_interval(days => absent)
           from jsonb_to_recordset($1) p(id bigint, link text, absent int) left join staffetta.desired_directory_person d on d.key = p.id where link <> 'none'`,
          [JSON.stringify(rows)],
        );
        await db.query(
          `insert into staffetta.delivery (target, entity, key, rev, state, wait_target, token, claimed_rev, parked_for)
           select 'directory', 'person', id::text, 5, case delivery when 'claimed' then 'pending' when 'behind' then 'waiting' else delivery end,
             case delivery when 'behind' then 'badge' end,
             case delivery when 'claimed' then gen_random_uuid() end, case delivery when 'claimed' then 5 end,
             case "parkedFor" when 'this' then d.fingerprint else 'another' end
           from jsonb_to_recordset($1) p(id bigint, delivery text, "parkedFor" text)
           left join staffetta.desired_directory_person d on d.key = p.id where delivery <> 'none'`,
          [JSON.stringify(rows)],
        );

        const hasStepDue = ({ link, absent }: (typeof rows)[number]) => {
          if (link === 'none') return false;
          const next = deprovision.find((step) => link !== 'disabled' || step.do === 'delete');
          if (!next) return link === 'same' || link === 'other'; // to be kept from now on
          return absent === null || absent * 86_400 >= next.after;
        };
        const differs = (one: (typeof rows)[number]) =>
          one.row === 'in' ? one.link !== 'same' : one.row === 'guest' ? one.link !== 'none' : hasStepDue(one);
        const isTouched = (row: (typeof rows)[number]) => {
          const isStuck = row.delivery === 'parked' || row.delivery === 'held';
          const isKnown = row.row === 'in' || row.row === 'guest' || row.link !== 'none';
          const isLooked = isStuck || row.delivery === 'behind';
          const isOutdated = isLooked && row.parkedFor === 'another'; // stuck for a desired state that is no more
          const isLeftBehind = isLooked && !isKnown;
          return (
            (differs(row) || isOutdated || isLeftBehind) &&
            row.delivery !== 'pending' &&
            (owed || !isStuck || isOutdated)
          );
        };
        expect(await rescanBy(owed ? 1 : sessions, 'directory', 'person')).toBe(rows.filter(isTouched).length);
        expect(
          await db.query(
            'select key::int as id, rev::int, state, token is not null as claimed from staffetta.delivery order by 1',
          ),
        ).toEqual(
          rows.flatMap((row) => {
            if (row.delivery === 'none')
              return differs(row) ? [{ id: row.id, rev: 1, state: 'pending', claimed: false }] : [];
            const touched = isTouched(row);
            const before = row.delivery === 'behind' ? 'waiting' : row.delivery;
            const state = touched || row.delivery === 'claimed' ? 'pending' : before;
            const claimed = row.delivery === 'claimed';
            return [{ id: row.id, rev: 5 + Number(touched) + Number(claimed), state, claimed }];
          }),
        );
      }),
      { numRuns: 60 },
    );
  });

  test('and exactly the teams whose members differ', async () => {
    await fc.assert(
      fc.asyncProperty(
        people,
        fc.array(team, { minLength: 1, maxLength: 4 }),
        empties,
        parts,
        async (people, teams, policy, sessions) => {
          await empty();
          await db.query(
            `update staffetta.route set refs = jsonb_set(refs, '{member, empty}', to_jsonb($1::text)) where entity = 'team'`,
            [policy],
          );
          const linked = people.map(({ link }) => link !== 'none');
          await db.query(
            `insert into staffetta.link (target, entity, key, remote_id, attributes)
           select 'directory', 'person', i::text, 'uid=' || i, '{}' from unnest($1::boolean[]) with ordinality p(linked, i) where linked`,
            [linked],
          );
          await db.database.query(`insert into registry.team select i, 't' || i from generate_series(1, $1) i`, [
            teams.length,
          ]);
          await db.query(
            `insert into staffetta.link (target, entity, key, remote_id, attributes, fingerprint)
           select 'directory', 'team', key::text, remote_id, attributes, fingerprint from staffetta.desired_directory_team
           join unnest($1::boolean[]) with ordinality t(linked, i) on i = key where linked`,
            [teams.map((team) => team.linked)],
          );
          const members = teams.flatMap((team, index) =>
            team.members.map((member, position) => ({ ...member, team: index + 1, person: position + 1 })),
          );
          const rightId = (person: number) => (linked[person - 1] ? `uid=${person}` : null);
          const applied = ({ recorded, person }: (typeof members)[number]) =>
            recorded === 'right' ? rightId(person) : recorded === 'stale' || recorded === 'kept' ? 'uid=stale' : null;
          await db.database.query(
            'insert into registry.member select team, person from jsonb_to_recordset($1) m(team bigint, person bigint)',
            [JSON.stringify(members.filter(({ wanted }) => wanted))],
          );
          await db.query(
            `insert into staffetta.reference (target, entity, key, attribute, ref_entity, ref_key, applied, kept)
           select 'directory', 'team', team::text, 'member', 'person', person::text, applied, recorded = 'kept'
           from jsonb_to_recordset($1) m(team bigint, person bigint, applied text, recorded text)`,
            [
              JSON.stringify(
                members
                  .filter(({ recorded }) => recorded !== 'no')
                  .map((member) => ({ ...member, applied: applied(member) })),
              ),
            ],
          );

          const memberDiffers = (member: (typeof members)[number]) =>
            !(policy === 'keep' && member.recorded === 'kept') &&
            (member.wanted !== (member.recorded !== 'no') ||
              (member.wanted && applied(member) !== rightId(member.person)));
          const isEmptied = (team: number) =>
            policy === 'delete' &&
            !members.some((member) => member.team === team && member.wanted && linked[member.person - 1]);
          await rescanBy(sessions, 'directory', 'team');
          expect(await owed('directory', 'team')).toEqual(
            teams.flatMap(({ linked }, index) =>
              linked === isEmptied(index + 1) ||
              members.some((member) => member.team === index + 1 && memberDiffers(member))
                ? [String(index + 1)]
                : [],
            ),
          );
        },
      ),
      { numRuns: 60 },
    );
  });
});
