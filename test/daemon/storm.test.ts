import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect, createRegistry, type Process, type Registry } from '../setup/registry.ts';

/** A reproducible sequence of numbers from 0 up to a limit. */
function dice(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return (state >>> 8) % limit;
  };
}

let registry: Registry;
let daemons: Process[];
const query = (sql: string, values?: readonly unknown[]) => registry.query(sql, values);

beforeAll(async () => {
  registry = await createRegistry();
  await query(`update staffetta.parameter set minimum = 0, number = 2 where code = 'LEASE_SECONDS'`);
  await registry.configure(['timeout: 3s', 'timeout: 500ms\n    slots: 3\n    batch: 10']);
  await registry.apply();
  daemons = [await registry.spawnDaemon(), await registry.spawnDaemon()];
  await query(`insert into registry.person (id, uid) select n, 'p' || n from generate_series(1, 60) n`);
  await query(`insert into registry.team select n, 't' || n from generate_series(1, 6) n`);
});
afterAll(() => registry.close());

/** Eighty changes of people and members that everybody else changes too: other attributes, swapped logins, comings and goings. */
async function write(client: pg.Client, seed: number): Promise<void> {
  const roll = dice(seed);
  for (let n = 0; n < 80; n++) {
    const [a, b, what] = [1 + roll(60), 1 + roll(60), roll(8)];
    if (what < 3) await client.query('update registry.person set room = $2 where id = $1', [a, `${seed}-${n}`]);
    else if (what === 3) {
      await client.query(
        `with pair as materialized (select id, uid from registry.person where id = any($1) order by id for update)
         update registry.person p set uid = q.uid from pair o join pair q on q.id <> o.id where p.id = o.id`,
        [[a, b]],
      );
    } else if (what === 4) await client.query('delete from registry.person where id = $1', [a]);
    else if (what === 5)
      await client.query('insert into registry.person (id, uid) values ($1, $2) on conflict do nothing', [
        a,
        `p${a}-${roll(3)}`,
      ]);
    else if (what === 6)
      await client.query('insert into registry.member values ($1, $2) on conflict do nothing', [1 + roll(6), a]);
    else await client.query('delete from registry.member where person_id = $1', [a]);
  }
  await client.end();
}

// A person who comes back after a swap may find the login taken: such deliveries are parked until somebody renames one.
const distinguish = `update registry.person p set uid = uid || '-' || id where exists (select from registry.person q where q.uid = p.uid and q.id < p.id)`;

test.each([
  ['', async () => {}],
  [
    ', connections cut',
    async () => {
      await query(
        `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name like 'staffetta%'`,
      );
    },
  ],
  [
    ', the directory killed',
    async () => {
      await registry.directory.kill('SIGKILL');
      await registry.directory.start();
    },
  ],
])('two daemons bring the directory to what six writers leave%s', async (_, disturb) => {
  const seed = Math.floor(Math.random() * 1e6);
  const clients = await Promise.all(Array.from({ length: 6 }, () => connect(registry.url)));
  const writing = Promise.all(clients.map((client, index) => write(client, seed + index)));
  for (
    let writes = true;
    writes;
    writes = await Promise.race([writing.then(() => false), disturb().then(() => true)])
  ) {
    await Promise.race([writing, registry.directory.entries('(uid=p1)')]);
  }
  await writing;
  await query(distinguish);
  await registry.calm();
  expect(await registry.differences(), `seed ${seed}`).toEqual([]);
  for (const { child, printed } of daemons) expect(child.exitCode, printed.stderr).toBe(null);
});
