/**
 * Passwords that were handed over. When the entry of a key is as it should be, its target is told the new password; what
 * it makes of that decides, as with any change, what becomes of the delivery. Told twice is better than not at all: it is
 * noted that the target has it after the target said so.
 */
import type { Parameters } from '../database/parameters.ts';
import type { Queryable } from '../database/transaction.ts';
import { type Opener, SealError } from '../passwords/open.ts';
import { type Password, TargetError } from '../targets/target.ts';
import type { Claim } from './claim.ts';
import type { Loaded } from './load.ts';
import type { Outcome } from './outcome.ts';
import type { Destination, Route } from './route.ts';
import { failed } from './send.ts';
import { wholeOf } from './whole.ts';

/** A password on its way to an entry. */
export interface Handing {
  readonly loaded: Loaded;
  /** What became of the entry itself: it is as it should be. */
  readonly outcome: Outcome;
  readonly remoteId: string;
  readonly stableId: string | undefined;
  readonly password: Password;
}

/** Of `staffetta.password`. */
interface Row {
  readonly id: string;
  readonly key: string;
  readonly sealed: Buffer;
}

/** An entry that is as it should be, and what became of its delivery. */
type Standing = Omit<Handing, 'password'>;

/** What passwords are given with. */
export interface Hands {
  readonly open: Opener | undefined;
  readonly give: (handings: readonly Handing[]) => Promise<Outcome[]>;
}

/**
 * Outcomes, once the targets of entries that are right have the passwords that wait for them. Never throws: what was sent
 * before must be settled. Where the database cannot say who waits for one, everybody is looked at again.
 */
export async function handPasswords(
  database: Queryable,
  { target, entity, mapping }: Route,
  { mode }: Pick<Claim, 'mode'>,
  { open, give }: Hands,
  loaded: readonly Loaded[],
  outcomes: readonly Outcome[],
): Promise<readonly Outcome[]> {
  if (!open || !mapping.passwords || mode === 'observe') return outcomes;
  const byKey = new Map(loaded.map((item) => [item.claimed.key, item]));
  const standing = outcomes.flatMap((outcome): Standing[] => {
    const item = byKey.get(outcome.key);
    const entry = item && entryOf(item, outcome);
    return item && entry ? [{ loaded: item, outcome, ...entry }] : [];
  });
  if (standing.length === 0) return outcomes;
  const changed = new Map<string, Outcome>();
  let asked = standing;
  try {
    const waiting = await readWaiting(database, target, entity, standing);
    asked = standing.filter(({ outcome: { key } }) => waiting.has(key));
    const handings: Handing[] = [];
    for (const item of asked) {
      const { outcome, loaded: whose } = item;
      const row = waiting.get(outcome.key);
      if (mode === 'manual' && !whose.claimed.approved) changed.set(outcome.key, held(item));
      else if (row) {
        const password = await open(row.sealed, { entity, key: row.key }).catch(sealError);
        if (password instanceof SealError) changed.set(outcome.key, refused(outcome, password.message));
        else handings.push({ ...item, password });
      }
    }
    for (const outcome of await give(handings)) changed.set(outcome.key, outcome);
    await note(database, target, entity, handings, changed, waiting);
  } catch (error) {
    const message = `its password: ${error instanceof Error ? error.message : String(error)}`;
    for (const { outcome } of asked)
      changed.set(outcome.key, { ...outcome, outcome: 'again', dueIn: againIn, error: { kind: 'unknown', message } });
  }
  return outcomes.map((outcome) => changed.get(outcome.key) ?? outcome);
}

/** Seconds after which those are looked at again of whom the database could not say whether a password waits for them. */
const againIn = 2;

async function readWaiting(
  database: Queryable,
  target: string,
  entity: string,
  standing: readonly Standing[],
): Promise<ReadonlyMap<string, Row>> {
  const { rows } = await database.query<Row>({
    name: 'passwords',
    text: `select p.id::text as id, p.key, p.sealed from staffetta.password p
      where p.entity = $2 and p.key = any ($3) and p.expires_at > clock_timestamp()
        and exists (select from staffetta.password_due d where (d.target, d.password) = ($1, p.id))`,
    values: [target, entity, standing.map(({ outcome }) => outcome.key)],
  });
  return new Map(rows.map((row) => [row.key, row]));
}

function sealError(error: unknown): SealError {
  if (error instanceof SealError) return error;
  throw error;
}

/** Waits for the administrator's word. */
function held({ outcome, remoteId }: Standing): Outcome {
  return {
    ...outcome,
    outcome: 'hold',
    by: 'manual',
    planned: `password ${remoteId}`,
    reason: 'the target is in manual mode: approve it, or discard it',
  };
}

/** The entry of a key that is paid for and has one which is not disabled. */
function entryOf({ link }: Loaded, { outcome, link: next }: Outcome) {
  const entry = next === undefined ? link : next;
  if (outcome !== 'done' || !entry || entry.state !== 'active') return undefined;
  return { remoteId: entry.remoteId, stableId: entry.stableId ?? undefined };
}

/** Parked until another is handed over, or it expires. */
function refused(outcome: Outcome, reason: string): Outcome {
  return { ...outcome, outcome: 'park', error: { kind: 'rejected', message: `its password: ${reason}` } };
}

/** What becomes of a delivery whose entry is right and whose password failed: all that is known of the entry stays. */
export function withoutPassword(done: Outcome, failure: Outcome): Outcome {
  const { outcome, dueIn, error, data } = failure;
  const message = `its password: ${error?.message ?? 'not given'}`;
  return {
    ...done,
    // Given back as it was would leave out what became of the entry.
    outcome: outcome === 'release' ? 'again' : outcome,
    ...(dueIn === undefined ? {} : { dueIn }),
    // What the entry is was not in question, and a password may be given twice; only that it is gone has to be looked at.
    ...(error?.kind === 'gone' ? { unsure: true } : {}),
    ...(error ? { error: { kind: error.kind, message } } : {}),
    ...(data ? { data } : {}),
  };
}

/** Who has theirs, and what was tried, goes into the journal. */
async function note(
  database: Queryable,
  target: string,
  entity: string,
  handings: readonly Handing[],
  changed: ReadonlyMap<string, Outcome>,
  waiting: ReadonlyMap<string, Row>,
): Promise<void> {
  const results = handings.map(({ outcome: { key }, remoteId, password: { kind } }) => {
    const { outcome, error } = changed.get(key) ?? {};
    const result = outcome === 'done' ? 'done' : outcome === 'park' ? 'parked' : error ? 'retried' : null;
    return { id: waiting.get(key)?.id, key, kind, remoteId, result, error_kind: error?.kind, message: error?.message };
  });
  await database.query({
    name: 'passwords_note',
    text: `with result as materialized (
        select * from jsonb_to_recordset($3) as r(id bigint, key text, kind text, "remoteId" text, result text, error_kind text, message text)),
      had as (
        delete from staffetta.password_due d using result r where (d.target, d.password) = ($1, r.id) and r.result = 'done')
      insert into staffetta.journal (target, entity, key, operation, result, remote_id, lag, actor, cause, error_kind, message)
      select $1, $2, r.key, 'password', r.result, r."remoteId", clock_timestamp() - p.handed_at, p.actor, 'password ' || r.kind, r.error_kind, r.message
      from result r left join staffetta.password p on p.id = r.id where r.result is not null`,
    values: [target, entity, JSON.stringify(results)],
  });
}

/** Gives one entry its password, and says what becomes of its delivery. */
export async function hand(
  destination: Destination,
  { loaded, outcome, remoteId, stableId, password }: Handing,
  parameters: Parameters,
): Promise<Outcome> {
  const { target, timeout } = destination;
  const { entity } = loaded.claimed;
  const entry = { entity, remoteId, ...(stableId === undefined ? {} : { stableId }) };
  try {
    if (!target.setPassword) throw new TargetError('misconfigured', 'the target takes no passwords');
    await target.setPassword(entry, password, AbortSignal.timeout(timeout), wholeOf(loaded));
    return outcome;
  } catch (error) {
    if (!(error instanceof TargetError)) throw error;
    return withoutPassword(outcome, failed(destination, loaded, error, parameters));
  }
}
