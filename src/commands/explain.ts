/** `staffetta explain ENTITY KEY [--live]`: everything Staffetta knows of one identity, target by target, and what to do about it. */
import type { Command } from 'commander';
import type pg from 'pg';
import type { LoadedConfig } from '../config/load.ts';
import { advise } from './advice.ts';
import { ask } from './ask.ts';
import { type CommonOptions, defineCommand, print, UserError, withDatabase } from './command.ts';
import { canonicalKeys } from './journal.ts';
import type { readLiveEntries } from './live-entry.ts';
import { type Explained, showExplained } from './show-explained.ts';

export function explainCommand(): Command {
  return defineCommand('explain', 'everything that is known of one identity, and what to do about it')
    .argument('<entity>')
    .argument('<key>')
    .option('--live', 'read the entries on the targets, too, and compare them')
    .action((entity: string, key: string, options: CommonOptions & { live?: boolean }) =>
      withDatabase(options, async ({ loaded, pool }) => {
        const known = await explain(pool, loaded, entity, key);
        const live = options.live ? await lookAt(pool, loaded, known) : undefined;
        const explained = known.map((one): Explained => ({ ...one, live: live?.get(one.target) ?? null }));
        if (options.json)
          print(
            options,
            explained.map((one) => ({ ...one, advice: advise(one) })),
          );
        else console.log(explained.map((one) => showExplained(one, advise(one))).join('\n\n'));
      }),
    );
}

/** The live entries. What reads targets is loaded only where that is asked for: this answers while a person waits. */
async function lookAt(...asked: Parameters<typeof readLiveEntries>): ReturnType<typeof readLiveEntries> {
  return (await import('./live-entry.ts')).readLiveEntries(...asked);
}

/** What is known of a key, one record for each target that has the entity. */
const query = `
  select r.target, r.entity, $2::text as key, clock_timestamp() as now, t.mode as target_mode, t.state as target_state, t.reason as target_reason,
    (select to_jsonb(l) - '{target,entity,key,attributes,disable}'::text[] || jsonb_build_object('attributes',
       (select jsonb_object_agg(a.key, staffetta.shown_values(a.value)) from jsonb_each(l.attributes) a))
     from staffetta.link l where (l.target, l.entity, l.key) = (r.target, r.entity, $2)) as link,
    (select to_jsonb(b) - '{target,entity,key}'::text[] from staffetta.backlog b where (b.target, b.entity, b.key) = (r.target, r.entity, $2)) as delivery,
    (select to_jsonb(x) - '{target,entity,key,remote_id,state}'::text[] from staffetta.deprovisioning x where (x.target, x.entity, x.key) = (r.target, r.entity, $2)) as deprovisioning,
    (select jsonb_build_object('operation', case j.cause when 'adopt' then 'adopt' else j.operation end, 'at', j.at) from staffetta.journal j
     where (j.target, j.entity, j.key) = (r.target, r.entity, $2) and (j.operation in ('create', 'adopt', 'hand over') or j.cause = 'adopt') and j.result in ('done', 'warned')
     order by j.at desc limit 1) as matched,
    coalesce((select jsonb_agg(case when s.error is null then format('a change of %s is not ingested yet', f.source)
       else format('changes of %s cannot be ingested: %s', f.source, s.error) end order by f.source)
     from staffetta.feed f join staffetta.source s on s.source = f.source
     where f.entity = r.entity and exists (select from staffetta.event e where e.source = f.source)), '[]') as captured,
    coalesce((select jsonb_agg(jsonb_build_object('entity', w.entity, 'key', w.key, 'attribute', w.wait_attribute, 'state', w.state, 'error', w.error) order by w.entity, w.key)
     from staffetta.delivery w where (w.target, w.wait_entity, w.wait_key) = (r.target, r.entity, $2)), '[]') as wanted_by,
    coalesce((select jsonb_agg(to_jsonb(p) - 'target') from previewed p where p.target = r.target), '[]') as preview,
    coalesce((select jsonb_agg(to_jsonb(j) - '{target,entity,key}'::text[] order by j.at) from (
       select * from staffetta.journal j where (j.target, j.entity, j.key) = (r.target, r.entity, $2) and j.module is null order by j.at desc limit 5) j), '[]') as journal
  from staffetta.routes(null, $1) r join staffetta.target t on t.target = r.target
  order by r.target`;

async function explain(
  pool: pg.Pool,
  { config }: LoadedConfig,
  entity: string,
  key: string,
): Promise<Omit<Explained, 'live'>[]> {
  const [canonical, ...others] = await canonicalKeys(pool, entity, key);
  if (canonical === undefined || others.length > 0)
    throw new UserError(
      `The targets of entity "${entity}" do not agree on the type of its key; run \`staffetta apply\`.`,
    );
  const rows = await ask<Omit<Explained, 'desired' | 'unreadable' | 'live' | 'view' | 'only' | 'match'>>(
    pool,
    `with previewed as materialized (select * from staffetta.preview($1, $2)) ${query}`,
    [entity, canonical],
  );
  return Promise.all(
    rows.map(async (row) => {
      const mapping = config.targets[row.target]?.entities[entity];
      const view = mapping?.view ?? config.entities[entity]?.view ?? null;
      const [only, match] = [mapping?.only ?? null, mapping?.match ?? null];
      return { ...row, view, only, match, ...(await desiredOf(pool, row)) };
    }),
  );
}

/** The desired state, secrets masked; where it cannot be read, that is a finding too. */
async function desiredOf(
  pool: pg.Pool,
  { target, entity, key }: { target: string; entity: string; key: string },
): Promise<Pick<Explained, 'desired' | 'unreadable'>> {
  try {
    const sql = 'select released, remote_id, attributes, members from staffetta.desired($1, $2, array[$3])';
    const [desired] = await ask<NonNullable<Explained['desired']>>(pool, sql, [target, entity, key]);
    return { desired: desired ?? null, unreadable: null };
  } catch (error) {
    return { desired: null, unreadable: error instanceof Error ? error.message : String(error) };
  }
}
