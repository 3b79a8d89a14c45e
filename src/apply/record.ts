import type pg from 'pg';
import type { LoadedConfig } from '../config/load.ts';
import { notYet } from '../config/not-yet.ts';
import { desiredName, mappingsOf } from '../desired/mapping.ts';

/** A route that owes a rescan, and why. */
export interface RouteChange {
  readonly target: string;
  readonly entity: string;
  readonly reason: 'new' | 'changed';
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
): Promise<{ routes: RouteChange[]; retired: string[] }> {
  const later = notYet(config);
  const targets = Object.entries(config.targets).map(([target, { type }]) => ({
    target,
    type,
    not_yet: later.get(target) ?? [],
  }));
  await client.query(
    `insert into staffetta.target as t (target, type, not_yet)
     select target, type, not_yet from jsonb_to_recordset($1) as w(target text, type text, not_yet text[]) order by target collate "C"
     on conflict (target) do update set type = excluded.type, not_yet = excluded.not_yet,
       state = case when t.state = 'retired' then 'active' else t.state end,
       reason = case when t.state = 'retired' then null else t.reason end,
       since = case when t.state = 'retired' then clock_timestamp() else t.since end`,
    [JSON.stringify(targets)],
  );
  const retired = await client.query<{ target: string }>(
    `update staffetta.target set state = 'retired', reason = 'no longer in the configuration', since = clock_timestamp(), retry_at = null
     where target <> all($1) and state <> 'retired' returning target`,
    [targets.map(({ target }) => target)],
  );
  const routes = await recordRoutes(client, config, changed);
  await client.query(
    `with claimed as materialized (
       select target, entity, key from staffetta.delivery where token is not null order by target, entity, key for update)
     update staffetta.delivery d set rev = d.rev + 1 from claimed c where (d.target, d.entity, d.key) = (c.target, c.entity, c.key)`,
  );
  await client.query(
    `update staffetta.installation set revision = $1, applied_at = clock_timestamp(), applied_by = staffetta.actor() where revision is distinct from $1`,
    [revision],
  );
  // A daemon that runs with this configuration already, or sees only the last of two, would not know before its next sweep.
  if (routes.length > 0) await client.query('select staffetta.sweep()');
  return { routes, retired: retired.rows.map(({ target }) => target) };
}

async function recordRoutes(
  client: pg.ClientBase,
  config: LoadedConfig['config'],
  { libraryChanged, entities, remapped }: Parameters<typeof recordTargets>[2],
): Promise<RouteChange[]> {
  const wanted = mappingsOf(config).map((mapping) => ({
    target: mapping.target,
    entity: mapping.entity,
    deprovision: mapping.config.deprovision[0]?.do ?? 'keep',
    changed: libraryChanged || entities.has(mapping.entity) || remapped.has(desiredName(mapping)),
  }));
  // What a target was to be told of an entity that it no longer follows is found again by the rescan if it comes back.
  await client.query(
    `with gone as (
       delete from staffetta.route r where not exists (
         select from jsonb_to_recordset($1) as w(target text, entity text) where (w.target, w.entity) = (r.target, r.entity)) returning target, entity),
     debts as materialized (
       select d.target, d.entity, d.key from staffetta.delivery d join gone g using (target, entity) order by d.target, d.entity, d.key for update of d)
     delete from staffetta.delivery d using debts b where (d.target, d.entity, d.key) = (b.target, b.entity, b.key)`,
    [JSON.stringify(wanted)],
  );
  const { rows } = await client.query<RouteChange>(
    `insert into staffetta.route as r (target, entity, deprovision, rescan)
     select target, entity, deprovision, 1 from jsonb_to_recordset($1) as w(target text, entity text, deprovision text, changed boolean)
     where changed or not exists (select from staffetta.route o where (o.target, o.entity, o.deprovision) = (w.target, w.entity, w.deprovision))
     order by target collate "C", entity collate "C"
     on conflict (target, entity) do update set rescan = r.rescan + 1, deprovision = excluded.deprovision,
       error = null, error_at = null, retry_at = null, failures = 0
     returning target, entity, case when xmax = 0 then 'new' else 'changed' end as reason`,
    [JSON.stringify(wanted)],
  );
  return rows;
}
