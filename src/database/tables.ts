import type { ColumnType, Generated, JSONColumnType } from 'kysely';

/**
 * The tables of `migrations/` and the views of `sql/`, as far as TypeScript reads or writes them through Kysely.
 * What the columns mean is written in the migrations.
 */
export interface Tables {
  'staffetta.delivery': Delivery;
  'staffetta.link': Link;
  'staffetta.journal': Journal;
  'staffetta.target': TargetRow;
  'staffetta.route': Route;
  'staffetta.source': SourceRow;
  'staffetta.parameter': Parameter;
  'staffetta.instance': Instance;
  'staffetta.installation': Installation;
  'staffetta.generated': GeneratedRow;
}

type Time = ColumnType<Date, Date | string | undefined, Date | string>;

interface Delivery {
  target: string;
  entity: string;
  key: string;
  rev: Generated<string>;
  state: Generated<'pending' | 'waiting' | 'held' | 'parked'>;
  priority: Generated<number>;
  due_at: Time;
  attempts: Generated<number>;
  token: string | null;
  claimed_rev: string | null;
  lease_until: Date | null;
  unsure: Generated<boolean>;
  wait_entity: string | null;
  wait_key: string | null;
  events: Generated<number>;
  first_at: Time;
  first_cause: string | null;
  first_actor: string | null;
  last_at: Time;
  last_cause: string | null;
  last_actor: string | null;
  error_kind: string | null;
  error: string | null;
  error_at: Date | null;
}

interface Link {
  target: string;
  entity: string;
  key: string;
  remote_id: string;
  stable_id: string | null;
  state: Generated<'active' | 'disabled' | 'kept'>;
  attributes: JSONColumnType<Record<string, unknown[]>>;
  fingerprint: string | null;
  at: Time;
}

interface Journal {
  at: Time;
  target: string;
  entity: string;
  key: string | null;
  operation: string;
  result: string;
  remote_id: string | null;
  changed: string[] | null;
  count: Generated<number>;
  lag: string | null;
  actor: string | null;
  cause: string | null;
  attempt: number | null;
  error_kind: string | null;
  message: string | null;
}

interface TargetRow {
  target: string;
  type: string;
  state: Generated<'active' | 'paused' | 'waiting' | 'quarantined' | 'retired'>;
  reason: string | null;
  since: Time;
  failures: Generated<number>;
  retry_at: Date | null;
  identity: string | null;
  not_yet: Generated<string[]>;
}

interface Route {
  target: string;
  entity: string;
  rescan: Generated<string>;
  error: string | null;
  error_at: Date | null;
  retry_at: Date | null;
  failures: Generated<number>;
}

interface SourceRow {
  source: string;
  relation: number;
  columns: string[];
  notify: boolean;
  error: string | null;
  error_at: Date | null;
}

interface Parameter {
  code: string;
  text: string | null;
  number: string | null;
  description: string;
}

interface Instance {
  instance: string;
  host: string;
  pid: number;
  version: string;
  revision: string;
  pool: string | null;
  state: string;
  message: string | null;
  started_at: Time;
  beat_at: Time;
}

interface Installation {
  only_one: Generated<boolean>;
  revision: string | null;
  applied_at: Date | null;
  applied_by: string | null;
}

interface GeneratedRow {
  kind: string;
  name: string;
  hash: string;
}
