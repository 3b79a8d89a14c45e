/**
 * What deliveries are tried on: a database with Staffetta's tables and functions, people and teams in it, desired views
 * written by hand, and a scripted target `directory`. What is tested here depends neither on the compiler nor on capture.
 */
import { randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import type pg from 'pg';
import { migrate } from '../../src/database/migrate.ts';
import { type Parameters, readParameters } from '../../src/database/parameters.ts';
import { createPool } from '../../src/database/pool.ts';
import type { Queryable } from '../../src/database/transaction.ts';
import { Tunables } from '../../src/database/tunables.ts';
import { Batch, type Delivered } from '../../src/deliver/batch.ts';
import { type Claim, type Claimant, Claimer } from '../../src/deliver/claim.ts';
import type { Mapping } from '../../src/deliver/plan.ts';
import { Pump, type PumpEvents } from '../../src/deliver/pump.ts';
import type { Destination, Route } from '../../src/deliver/route.ts';
import { Ingest } from '../../src/ingest/ingest.ts';
import { createDatabase, type Database } from '../setup/database.ts';
import { ScriptedTarget } from './scripted-target.ts';

const root = new URL('../../', import.meta.url);

/** The revision of the configuration that is applied on a stage. */
/** Who claims. */
export const claimant: Claimant = {
  instance: '00000000-0000-4000-8000-000000000001',
  revision: 'r1',
  host: 'stage:5432',
  life: { ends: Number.POSITIVE_INFINITY },
};

const registry = `
create schema registry;
create table registry.person (id bigint, uid text, name text, mail text[], password text, room int, guest boolean not null default false);
create table registry.team (id bigint primary key, name text not null);
create table registry.member (team_id bigint not null, person_id bigint not null, primary key (team_id, person_id));
create view registry.v_person as select * from registry.person;
create view registry.v_team as select * from registry.team`;

const feed = { source: 'registry.person', entity: 'person', keysFunction: 'staffetta.keys_of_person' };

/** What the compiler would make of a mapping: guests are left out by `only`, and a room 0 cannot be computed. */
const views = `
create function staffetta.desired_directory_person_rows()
returns table (key bigint, released boolean, remote_id text, attributes jsonb, disable jsonb, match jsonb, fingerprint text, open text, secrets text, hashes text)
language sql stable as $$
  select v.id, v.guest, d.remote_id, d.attributes, d.disable,
    case when v.mail[1] <> '' then jsonb_build_object('mail', v.mail[1]) end,
    case when not v.guest then staffetta.fingerprint(d.remote_id, d.attributes::text, null, d.disable) end, d.attributes::text, null::text, null::text
  from registry.v_person v cross join lateral (
    select case when not v.guest then 'uid=' || v.uid || ',ou=people' end as remote_id,
      case when not v.guest then jsonb_build_object('remote_id', 'uid=' || v.uid || ',ou=former', 'attributes', '{"employeeType": ["former"]}'::jsonb) end as disable,
      case when not v.guest then jsonb_strip_nulls(jsonb_build_object('objectClass', '["person"]'::jsonb,
        'cn', staffetta.values_of(v.name), 'mail', staffetta.values_of(v.mail), 'userPassword', staffetta.values_of(v.password),
        'roomNumber', staffetta.values_of((1000 / v.room)::text))) end as attributes) d $$;
create view staffetta.desired_directory_person as select * from staffetta.desired_directory_person_rows();
create function staffetta.desired_directory_team_rows()
returns table (key bigint, released boolean, remote_id text, attributes jsonb, disable jsonb, match jsonb, fingerprint text, open text, secrets text, hashes text)
language sql stable as $$
  select v.id, false, 'cn=' || v.name || ',ou=teams', d.attributes, null::jsonb, null::jsonb,
    staffetta.fingerprint('cn=' || v.name || ',ou=teams', d.attributes::text, null, null), d.attributes::text, null::text, null::text
  from registry.v_team v cross join lateral (select jsonb_build_object('cn', staffetta.values_of(v.name)) as attributes) d $$;
create view staffetta.desired_directory_team as select * from staffetta.desired_directory_team_rows();
create function staffetta.desired_directory_team_refs_rows() returns table (key bigint, attribute text, ref_key text) language sql stable as $$
  select m.team_id, 'member', m.person_id::text from registry.member m $$;
create view staffetta.desired_directory_team_refs as select * from staffetta.desired_directory_team_refs_rows()`;

const person: Mapping = {
  entity: 'person',
  attributes: new Set(['objectClass', 'cn', 'mail', 'userPassword', 'roomNumber']),
  secret: new Set(['userPassword']),
  policies: new Map([['objectClass', 'merge']]),
  unique: new Set(),
  references: new Map(),
  passwords: false,
  deprovision: [{ do: 'delete', after: 0 }],
  removeAfter: 0,
};

const team: Mapping = {
  entity: 'team',
  attributes: new Set(['cn']),
  secret: new Set(),
  policies: new Map([['objectClass', 'merge']]),
  unique: new Set(),
  references: new Map([['member', { refEntity: 'person', empty: 'placeholder' as const, placeholder: 'cn=nobody' }]]),
  passwords: false,
  deprovision: [{ do: 'delete', after: 0 }],
  removeAfter: 0,
};

/** A delivery as it stands in its table, as far as tests look. */
export interface Delivery {
  readonly entity: string;
  readonly key: string;
  readonly rev: string;
  readonly state: string;
  readonly attempts: number;
  readonly token: string | null;
  readonly unsure: boolean;
  readonly stray: string[] | null;
  readonly due: boolean;
  readonly wait_key: string | null;
  readonly wait_id: string | null;
  readonly absent_since: Date | null;
  readonly error_kind: string | null;
  readonly error: string | null;
}

export class Stage {
  readonly database: Database;
  readonly pool: pg.Pool;
  /** A target without entries; `clear` gives a new one. */
  target = new ScriptedTarget();

  constructor(database: Database) {
    this.database = database;
    this.pool = createPool(database.url, 'staffetta test', 6);
  }

  async query<Row extends pg.QueryResultRow = pg.QueryResultRow>(sql: string, values: readonly unknown[] = []) {
    return (await this.pool.query<Row>(sql, [...values])).rows;
  }

  /** Nobody, nothing owed, nothing linked, an empty target. */
  async clear(): Promise<void> {
    this.target = new ScriptedTarget();
    await this.query(`truncate registry.person, registry.team, registry.member, staffetta.event, staffetta.delivery, staffetta.link,
      staffetta.remote_id, staffetta.remote_value, staffetta.reference, staffetta.journal, staffetta.guard_spent`);
    await this.query(`update staffetta.target set state = 'active', reason = null, failures = 0, retry_at = null, mode = 'live',
      admitted = true, guard_removals = 1, guard_changes = 1, guard_floor = 25, guard_window = '24 h'`);
    await this.query('update staffetta.route set error = null, error_at = null, retry_at = null, failures = 0');
    await this.query(`update staffetta.installation set revision = $1`, [claimant.revision]);
    await this.query('select staffetta.accept_database($1)', [claimant.host]);
    // What has to pause does, until a test goes forward; only members are not gathered.
    for (const parameter of ['RETRY_SECONDS', 'WAIT_SECONDS', 'WAIT_MAX_SECONDS'] as const)
      await this.set(parameter, 60);
    await this.set('REFERENCE_SECONDS', 0);
    await this.set('RETRY_ATTEMPTS', 10);
    await this.set('ONE_SIDED_LIMIT', 20);
    await this.set('LEASE_SECONDS', 60);
  }

  async set(parameter: keyof Parameters, number: number): Promise<void> {
    await this.query('update staffetta.parameter set number = $2 where code = $1', [parameter, number]);
  }

  /** A person, by default with an id of their own and a name of it. */
  async addPerson(id: number, uid: string | null, more: Record<string, unknown> = {}): Promise<void> {
    const row = { id, uid, name: uid ?? 'nameless', ...more };
    const columns = Object.keys(row);
    await this.query(
      `insert into registry.person (${columns.join(', ')}) values (${columns.map((_, index) => `$${index + 1}`).join(', ')})`,
      Object.values(row),
    );
  }

  /** Owes deliveries, as ingest does for events of these keys. */
  async owe(entity: string, ...keys: readonly (string | number)[]): Promise<void> {
    await this.query(
      `insert into staffetta.delivery as d (target, entity, key, last_cause) select 'directory', $1, k, 'test' from unnest($2::text[]) k order by k collate "C"
       on conflict (target, entity, key) do update set rev = d.rev + 1, due_at = least(d.due_at, clock_timestamp()),
         state = case when d.state in ('held', 'parked') then 'pending' else d.state end`,
      [entity, keys.map(String)],
    );
  }

  async deliveries(): Promise<Delivery[]> {
    return await this.query<Delivery>(
      `select *, rev::text, due_at <= clock_timestamp() as due from staffetta.delivery order by target, entity, key`,
    );
  }

  async delivery(key: number | string, entity = 'person'): Promise<Delivery | undefined> {
    return (await this.deliveries()).find((delivery) => delivery.entity === entity && delivery.key === String(key));
  }

  async link(key: number | string, entity = 'person') {
    const [link] = await this.query<{
      remote_id: string;
      stable_id: string | null;
      state: string;
      attributes: object;
      fingerprint: string | null;
    }>('select * from staffetta.link where entity = $1 and key = $2', [entity, String(key)]);
    return link;
  }

  /** The remote ids that are reserved: normalised → key. */
  async reserved(): Promise<Record<string, string>> {
    const rows = await this.query<{ normalised: string; key: string }>(
      'select normalised, key from staffetta.remote_id order by normalised',
    );
    return Object.fromEntries(rows.map(({ normalised, key }) => [normalised, key]));
  }

  /** What the journal says, oldest first: `1 create done`. */
  async journal(): Promise<string[]> {
    const rows = await this.query<{ line: string }>(
      `select concat_ws(' ', key, operation, result) as line from staffetta.journal order by at, key`,
    );
    return rows.map(({ line }) => line);
  }

  /** Makes due now whatever is to come, instead of waiting for it. */
  async forward(): Promise<void> {
    await this.query('update staffetta.delivery set due_at = clock_timestamp()');
    await this.query('update staffetta.target set retry_at = clock_timestamp()');
    await this.query('update staffetta.route set retry_at = clock_timestamp() where retry_at is not null');
  }

  /** Ends the leases of all claims, as time would. */
  async expire(): Promise<void> {
    await this.query(`update staffetta.delivery set lease_until = clock_timestamp() - interval '1 second'`);
  }

  destination(
    more: Partial<Omit<Destination, 'routes'>> = {},
    mappings: { person?: Partial<Mapping>; matches?: boolean } = {},
  ): Destination {
    const route = (mapping: Mapping, matches: boolean): [string, Route] => [
      mapping.entity,
      {
        target: 'directory',
        entity: mapping.entity,
        keyType: 'bigint',
        mapping,
        references: new Map([...mapping.references].map(([name, { refEntity }]) => [name, refEntity])),
        refersBy: 'remote id',
        matches,
        before: [],
        behind: [],
      },
    ];
    return {
      name: 'directory',
      target: this.target,
      routes: new Map([route({ ...person, ...mappings.person }, mappings.matches ?? false), route(team, false)]),
      referred: ['person'],
      concurrency: 4,
      timeout: 5_000,
      batch: 100,
      secret: Buffer.from('the secret of an installation'),
      ...more,
    };
  }

  /** Claims what is due, as a pump does. */
  async claim(limit = 100, target = 'directory'): Promise<Claim> {
    const claim = await new Claimer(target, claimant).claim(this.pool, {
      limit,
      leaseSeconds: 60,
      probing: false,
    });
    if (!claim) throw new Error(`nothing to claim in ${JSON.stringify(await this.deliveries())}`);
    return claim;
  }

  /** Delivers a claim. */
  async deliver(
    claim: Claim,
    destination = this.destination(),
    stop = new AbortController().signal,
    database: Queryable = this.pool,
  ): Promise<Delivered> {
    return await new Batch(database, destination, await readParameters(this.pool), claim, stop).deliver();
  }

  /** The database of a worker to which something happens before or after a statement, called by the statement's name. */
  interpose(happen: {
    before?: (statement: string) => void | Promise<void>;
    after?: (statement: string) => void | Promise<void>;
  }): Queryable {
    return new Proxy(this.pool, {
      get: (real, property) =>
        property === 'query'
          ? async (query: string | { name?: string; text: string }, ...values: unknown[]) => {
              const { name: prepared, text } = typeof query === 'string' ? { name: undefined, text: query } : query;
              const [, called] = /^\s*\/\* staffetta (\w+) \*\//.exec(text) ?? [];
              const name = called ?? prepared ?? text;
              await happen.before?.(name);
              const answer: unknown = await Reflect.apply(real.query, real, [query, ...values]);
              await happen.after?.(name);
              return answer;
            }
          : Reflect.get(real, property),
    });
  }

  pump(destination = this.destination(), events: Partial<PumpEvents> = {}, stop = new AbortController().signal): Pump {
    const silent = { settled: () => {}, told: () => {}, stopped: () => {} };
    const session = { database: this.pool, few: this.pool, tunables: new Tunables(this.pool) };
    return new Pump(session, destination, claimant, { ...silent, ...events }, stop);
  }

  /** What a daemon does, until nothing more is due: pumps, and ingests what settling told. */
  async settle(destination = this.destination()): Promise<void> {
    const ingest = new Ingest([feed], claimant.revision);
    for (let rounds = 0; rounds < 50; rounds += 1) {
      await this.pump(destination).run();
      const { events } = await ingest.drain(this.pool, await readParameters(this.pool));
      if (events === 0 && !(await this.deliveries()).some(({ due, state }) => due && state === 'pending')) return;
    }
    throw new Error(`it does not come to rest: ${JSON.stringify(await this.deliveries())}`);
  }

  /** A token that no claim carries. */
  get foreignToken(): string {
    return randomUUID();
  }

  async close(): Promise<void> {
    await this.pool.end();
    await this.database.drop();
  }
}

export async function createStage(): Promise<Stage> {
  const database = await createDatabase();
  const stage = new Stage(database);
  await stage.query('create schema staffetta');
  await migrate(stage.pool);
  for (const file of (await readdir(new URL('sql/', root))).sort())
    await stage.query(await readFile(new URL(`sql/${file}`, root), 'utf8'));
  await stage.query('select staffetta.ensure_journal_partitions()');
  await stage.query(registry);
  await stage.query(views);
  await stage.query(
    `create function ${feed.keysFunction}(cols text[]) returns setof text language sql as $$ select cols[1] $$`,
  );
  await stage.query(`insert into staffetta.target (target, type) values ('directory', 'ldap')`);
  await stage.query(
    `insert into staffetta.route (target, entity) values ('directory', 'person'), ('directory', 'team')`,
  );
  await stage.clear();
  return stage;
}
