/**
 * Daemons that died leave claims and jobs behind, which others take over at once instead of when the claims run out.
 *
 * A daemon is dead if its process is seen to be no more, or if it has given no sign of life for longer than it said it
 * ever would: it holds its lock no longer (see `LifeLine`) and its heartbeat is older than its `silence`. One that is
 * merely cut off knows this too, and sends nothing beyond that time (PROTOCOL B4). One that is stopped and may go on holds
 * its lock, and its claims until they run out.
 */
import { livingLock } from './database/life-line.ts';
import type { Queryable } from './database/transaction.ts';
import { isAlive, thisMachine } from './machine.ts';

/** What became of dead daemons. */
export interface TakenOver {
  readonly instances: number;
  /** Deliveries that may be claimed at once. */
  readonly deliveries: number;
  /** Jobs that run again. */
  readonly jobs: number;
}

/** The process is told here; by the server's clock and its locks, everything else. */
const others = `
select i.instance, i.pid, i.machine is not distinct from $1 and i.machine is not null as here,
  i.beat_at < clock_timestamp() - i.silence and not exists (
    select from pg_catalog.pg_locks l where l.locktype = 'advisory' and l.granted
      and l.database = (select d.oid from pg_catalog.pg_database d where d.datname = current_database())
      and l.classid = ${livingLock} and l.objid::bigint = hashtext(i.instance::text)::bigint & 4294967295 and l.objsubid = 2)
  or i.beat_at < clock_timestamp() - interval '1 day' as silent
from staffetta.instance i where i.instance <> all ($2::uuid[])`;

/**
 * Takes over from every daemon that is dead. `ours`: the instances of this process, whose number another one's may have
 * been before a container was restarted. Undefined where nobody is dead, or others have taken over already.
 */
export async function takeOver(database: Queryable, ours: readonly string[]): Promise<TakenOver | undefined> {
  const { rows } = await database.query<{ instance: string; pid: number; here: boolean; silent: boolean }>(others, [
    thisMachine(),
    ours,
  ]);
  const isDead = ({ here, pid }: { here: boolean; pid: number }) => here && (pid === process.pid || !isAlive(pid));
  const dead = rows.filter(isDead);
  const silent = rows.filter((row) => row.silent && !isDead(row));
  if (dead.length + silent.length === 0) return undefined;
  const ids = (instances: readonly { instance: string }[]) => instances.map(({ instance }) => instance);
  const taken = await database.query<{ [name in keyof TakenOver]: number | null }>(
    'select instances, deliveries, jobs from staffetta.take_over($1, $2)',
    [ids(dead), ids(silent)],
  );
  const [row] = taken.rows;
  if (!row?.instances) return undefined;
  return { instances: row.instances, deliveries: row.deliveries ?? 0, jobs: row.jobs ?? 0 };
}
