/** An application that changes the registry, as a history says. */
import { setTimeout } from 'node:timers/promises';
import pg from 'pg';
import { connect } from '../setup/registry.ts';
import type { Change, Transaction } from './change.ts';

/**
 * What the registry needs for histories besides its tables: unique logins and names of teams, checked at commit, and
 * contracts, with whose end a person leaves the view although no row changes.
 */
export const additions = `
  alter table registry.person add unique (uid) deferrable initially deferred;
  alter table registry.team add unique (name) deferrable initially deferred;
  alter table registry.email drop constraint email_person_id_fkey,
    add foreign key (person_id) references registry.person on delete cascade on update cascade deferrable initially deferred;
  create table registry.contract (
    person_id bigint primary key references registry.person on delete cascade on update cascade deferrable initially deferred,
    ends timestamptz not null);
  create or replace view registry.v_person as
    select p.*, array(select e.address from registry.email e where e.person_id = p.id order by 1) as emails from registry.person p
    where not hidden and not exists (select from registry.contract c where c.person_id = p.id and c.ends <= now());`;

/** What a person is called who lost the name; nobody else is called so. Ends what keeps a history from its end. */
export const healing = `update registry.person set uid = 'again' || id where uid is null`;

/** Keys from here on belong to a crowd. */
export const crowd = 100;

/** The errors that a history may bring on itself: a constraint, a conflict, a deadlock, a truncate too many, a lost connection. */
const ownFault = /^(23503|23505|40|55006|57P|08)/;

/** Does what `transactions` say, one after the other, each on the connection of the one before unless that was lost. */
export async function runApplication(url: string, transactions: readonly Transaction[]): Promise<void> {
  let client: pg.Client | undefined;
  for (const transaction of transactions) {
    try {
      client ??= await connect(url);
      await perform(client, transaction);
    } catch (error) {
      if (error instanceof pg.DatabaseError && !ownFault.test(error.code ?? '')) throw error;
      await client?.end().catch(() => {});
      client = undefined;
    }
    await setTimeout(transaction.pause);
  }
  await client?.end();
}

async function perform(client: pg.Client, { isolation, changes, open, end }: Transaction): Promise<void> {
  await client.query(`begin isolation level ${isolation}`);
  for (const change of changes) for (const [sql, values] of statements(change)) await client.query(sql, values);
  await setTimeout(open);
  await client.query(end);
}

type Statement = readonly [sql: string, values: unknown[]];

function statements(change: Change): readonly Statement[] {
  switch (change.do) {
    case 'insert':
      return [insert(change)];
    case 'update': {
      const { surname, room, password } = change.values;
      const sql = 'update registry.person set surname = $2, room = $3, password = $4 where id = $1';
      return [[sql, [change.id, surname, room, password]]];
    }
    case 'rename':
      return [['update registry.person set uid = $2 where id = $1', [change.id, change.uid]]];
    case 'delete':
      return [['delete from registry.person where id = $1', [change.id]]];
    case 'insert anew':
      return [['delete from registry.person where id = $1', [change.id]], insert(change)];
    case 'swap': {
      const sql = `update registry.person p set uid = o.uid from registry.person o
        where (p.id, o.id) in (($1::bigint, $2::bigint), ($2::bigint, $1::bigint))`;
      return [[sql, [change.id, change.other]]];
    }
    case 'change key':
      return [changeKey(change.id, change.to)];
    case 'exchange keys':
      return [changeKey(change.id, -1), changeKey(change.other, change.id), changeKey(-1, change.other)];
    case 'move':
      return [['update registry.person set area = $2 where id = $1', [change.id, change.area]]];
    case 'hide':
      return [['update registry.person set hidden = $2 where id = $1', [change.id, change.hidden]]];
    case 'hire until': {
      const sql = `insert into registry.contract select id, clock_timestamp() + make_interval(secs => $2 / 1000.0) from registry.person where id = $1
        on conflict (person_id) do update set ends = excluded.ends`;
      return [[sql, [change.id, change.after]]];
    }
    case 'hire for good':
      return [['delete from registry.contract where person_id = $1', [change.id]]];
    case 'lose name':
      return [['update registry.person set uid = null where id = $1', [change.id]]];
    case 'mail': {
      const sql = 'insert into registry.email select id, $2 from registry.person where id = $1 on conflict do nothing';
      return [[sql, [change.id, change.address]]];
    }
    case 'found': {
      const sql = 'insert into registry.team values ($1, $2) on conflict (id) do update set name = excluded.name';
      return [[sql, [change.team, change.name]]];
    }
    case 'dissolve':
      return [['delete from registry.team where id = $1', [change.team]]];
    case 'join': {
      const sql = 'insert into registry.member select id, $2 from registry.team where id = $1 on conflict do nothing';
      return [[sql, [change.team, change.id]]];
    }
    case 'leave':
      return [['delete from registry.member where (team_id, person_id) = ($1, $2)', [change.team, change.id]]];
    case 'crowd': {
      const sql = `insert into registry.person (id, uid, room)
        select n, 'crowd' || n, $2 from generate_series($1::int, $1::int + $3::int) n
        on conflict (id) do update set room = excluded.room`;
      return [[sql, [crowd, change.room, change.size]]];
    }
    case 'disperse':
      return [['delete from registry.person where id >= $1', [crowd]]];
    case 'blank':
      return [['update registry.person set room = null', []]];
    case 'truncate':
      return [[`truncate registry.${change.table} cascade`, []]];
  }
}

function insert({
  id,
  uid,
  values: { surname, room, password },
}: Extract<Change, { do: 'insert' | 'insert anew' }>): Statement {
  const sql = `insert into registry.person (id, uid, surname, room, password) values ($1, $2, $3, $4, $5)
    on conflict (id) do nothing`;
  return [sql, [id, uid, surname, room, password]];
}

function changeKey(from: number, to: number): Statement {
  const sql = `update registry.person set id = $2::bigint where id = $1::bigint
    and not exists (select from registry.person where id = $2::bigint)`;
  return [sql, [from, to]];
}
