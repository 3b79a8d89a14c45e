import type pg from 'pg';
import type { LoadedConfig } from '../config/load.ts';
import { policiesOf, referenceForm, referencesOf, uniquesOf } from '../config/policies.ts';
import type { Config, MappingConfig, TargetConfig } from '../config/schema.ts';
import { stepsOf } from '../config/steps.ts';
import { hostOf } from '../database/host.ts';
import { desiredName, mappingsOf } from '../desired/mapping.ts';

/** A route that owes a rescan, and why. */
export interface RouteChange {
  readonly target: string;
  readonly entity: string;
  readonly reason: 'new' | 'changed';
}

/** A target that is dealt with otherwise from now on. */
export interface ModeChange {
  readonly target: string;
  readonly before: string;
  readonly mode: string;
}

/**
 * Records targets, routes and the revision, in the transaction that replaces the mapping. What is claimed at this moment
 * is looked at once more with the new mapping (PROTOCOL C7); routes that are new or changed owe a rescan (A11).
 */
export async function recordTargets(
  client: pg.ClientBase,
  { config, revision }: LoadedConfig,
  changed: {
    readonly libraryChanged: boolean;
    readonly entities: ReadonlySet<string>;
    readonly remapped: ReadonlySet<string>;
  },
): Promise<{ modes: ModeChange[]; routes: RouteChange[]; retired: string[] }> {
  const modes = await recordModes(client, config);
  const retired = await client.query<{ target: string }>(
    `update staffetta.target set state = 'retired', reason = 'no longer in the configuration', since = clock_timestamp(), retry_at = null
     where target <> all($1) and state <> 'retired' returning target`,
    [Object.keys(config.targets)],
  );
  const routes = await recordRoutes(client, config, changed);
  await client.query(
    `with claimed as materialized (
       select target, entity, key from staffetta.delivery where token is not null order by target, entity, key for update)
     update staffetta.delivery d set rev = d.rev + 1 from claimed c where (d.target, d.entity, d.key) = (c.target, c.entity, c.key)`,
  );
  // The first one says which database this is; afterwards only `accept-database` does (PROTOCOL C6).
  await client.query(
    'select staffetta.accept_database($1) from staffetta.installation where system_identifier is null',
    [hostOf(config.database.url)],
  );
  await client.query(
    `update staffetta.installation set revision = $1, applied_at = clock_timestamp(), applied_by = staffetta.actor() where revision is distinct from $1`,
    [revision],
  );
  await changeModes(
    client,
    modes.map(({ target }) => target),
  );
  // A daemon that runs with this configuration already, or sees only the last of two, would not know before its next sweep.
  if (routes.length > 0 || modes.length > 0) await client.query('select staffetta.sweep()');
  return { modes, routes, retired: retired.rows.map(({ target }) => target) };
}

/** Records the targets and how each is dealt with; answers with those whose mode is another now. */
export async function recordModes(client: pg.ClientBase, config: Config): Promise<ModeChange[]> {
  const targets = Object.entries(config.targets).map(([target, { type, mode, guard }]) => ({
    target,
    type,
    mode,
    guard_removals: guard.removals,
    guard_changes: guard.changes,
    guard_floor: guard.floor,
    guard_window: `${guard.window} milliseconds`,
  }));
  const changed = await client.query<ModeChange>(
    `select t.target, t.mode as before, w.mode from staffetta.target t join jsonb_to_recordset($1) as w(target text, mode text) using (target)
     where t.mode <> w.mode order by t.target`,
    [JSON.stringify(targets)],
  );
  await client.query(
    `insert into staffetta.target as t (target, type, mode, guard_removals, guard_changes, guard_floor, guard_window)
     select target, type, mode, guard_removals, guard_changes, guard_floor, guard_window
     from jsonb_to_recordset($1) as w(target text, type text, mode text, guard_removals numeric, guard_changes numeric, guard_floor int,
       guard_window interval) order by target collate "C"
     on conflict (target) do update set type = excluded.type, mode = excluded.mode,
       guard_removals = excluded.guard_removals, guard_changes = excluded.guard_changes, guard_floor = excluded.guard_floor,
       guard_window = excluded.guard_window,
       state = case when t.state = 'retired' then 'active' else t.state end,
       reason = case when t.state = 'retired' then null else t.reason end,
       since = case when t.state = 'retired' then clock_timestamp() else t.since end`,
    [JSON.stringify(targets)],
  );
  return changed.rows;
}

/** What waited for the old mode's word is looked at with the new one; what was only observed is found by a rescan. */
async function changeModes(client: pg.ClientBase, targets: readonly string[]): Promise<void> {
  await client.query(
    `with waiting as materialized (
       select target, entity, key from staffetta.delivery where target = any ($1) and state = 'waiting' and due_at = 'infinity'
       order by target, entity, key for update)
     update staffetta.delivery d set state = 'pending', due_at = clock_timestamp(), rev = d.rev + 1
     from waiting w where (d.target, d.entity, d.key) = (w.target, w.entity, w.key)`,
    [targets],
  );
  await client.query(
    `with owing as (select target, entity from staffetta.route where target = any ($1) order by target, entity for update)
     update staffetta.route r set rescan = r.rescan + 1 from owing o where (r.target, r.entity) = (o.target, o.entity)`,
    [targets],
  );
}

/**
 * Records the routes; those that are new or changed owe a rescan. What their links say of attributes that are unique now is
 * reserved, and given up of those that no longer are.
 */
export async function recordRoutes(
  client: pg.ClientBase,
  config: Config,
  { libraryChanged, entities, remapped }: Parameters<typeof recordTargets>[2],
): Promise<RouteChange[]> {
  const wanted = mappingsOf(config).map((mapping) => ({
    target: mapping.target,
    entity: mapping.entity,
    ...conductOf(mapping.config, config.targets[mapping.target]),
    revisit: mapping.config.revisit ?? null,
    changed: libraryChanged || entities.has(mapping.entity) || remapped.has(desiredName(mapping)),
  }));
  // What a target was to be told of an entity that it no longer follows is found again by the rescan if it comes back; but
  // not what is in doubt, which is kept until it does (PROTOCOL B5).
  await client.query(
    `with gone as (
       delete from staffetta.route r where not exists (
         select from jsonb_to_recordset($1) as w(target text, entity text) where (w.target, w.entity) = (r.target, r.entity)) returning target, entity),
     debts as materialized (
       select d.target, d.entity, d.key, d.token is not null as claimed, d.unsure or d.stray is not null or d.token is not null as doubtful
       from staffetta.delivery d join gone g using (target, entity) order by d.target, d.entity, d.key for update of d),
     doubted as (
       update staffetta.delivery d set unsure = true, state = 'parked', parked_for = '', error_kind = 'unknown', error_at = clock_timestamp(),
         error = 'it is in doubt what its entry is like, and it is not followed any longer'
       from debts b where (d.target, d.entity, d.key) = (b.target, b.entity, b.key) and b.doubtful and not b.claimed),
     taken as (
       update staffetta.delivery d set unsure = true from debts b
       where (d.target, d.entity, d.key) = (b.target, b.entity, b.key) and b.claimed)
     delete from staffetta.delivery d using debts b where (d.target, d.entity, d.key) = (b.target, b.entity, b.key) and not b.doubtful`,
    [JSON.stringify(wanted)],
  );
  const { rows } = await client.query<RouteChange>(
    `insert into staffetta.route as r (target, entity, deprovision, policies, refs, attributes, uniques, revisit, revisited_at, rescan)
     select target, entity, deprovision, policies, refs, attributes, uniques, revisit, now(), 1
     from jsonb_to_recordset($1) as w(target text, entity text, deprovision jsonb, policies jsonb, refs jsonb, attributes text[], uniques text[],
       revisit text, changed boolean)
     where changed or not exists (
       select from staffetta.route o
       where (o.target, o.entity, o.deprovision, o.policies, o.refs, o.uniques) = (w.target, w.entity, w.deprovision, w.policies, w.refs, w.uniques)
         and (o.attributes, o.revisit) is not distinct from (w.attributes, w.revisit))
     order by target collate "C", entity collate "C"
     on conflict (target, entity) do update set rescan = r.rescan + 1,
       deprovision = excluded.deprovision, policies = excluded.policies, refs = excluded.refs, attributes = excluded.attributes, uniques = excluded.uniques,
       revisit = excluded.revisit,
       revisited_at = case when r.revisit is distinct from excluded.revisit then excluded.revisited_at else r.revisited_at end,
       revisit_error = null, revisit_error_at = null,
       error = null, error_at = null, retry_at = null, failures = 0
     returning target, entity, case when xmax = 0 then 'new' else 'changed' end as reason`,
    [JSON.stringify(wanted)],
  );
  await client.query('select staffetta.unreserve_undeclared()');
  for (const { target, entity } of rows)
    await client.query('select staffetta.reserve_linked($1, $2)', [target, entity]);
  return rows;
}

/** What the database has to know of how a mapping treats entries: what it enqueues and previews depends on it. */
function conductOf(mapping: MappingConfig, target: TargetConfig | undefined): object {
  const references = target ? [...referencesOf(mapping, target)] : [];
  const by = target && referenceForm(target);
  const refs = references.map(([name, { refEntity: entity, ...policy }]) => [name, { entity, by, ...policy }] as const);
  return {
    deprovision: stepsOf(mapping),
    policies: Object.fromEntries(policiesOf(mapping)),
    attributes: mapping.attributes ? Object.keys(mapping.attributes) : null,
    uniques: uniquesOf(mapping),
    refs: Object.fromEntries(refs),
  };
}
