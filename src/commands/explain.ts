/** `staffetta explain ENTITY KEY`: everything Staffetta knows of one identity, target by target, and what to do about it. */
import type { Command } from 'commander';
import type pg from 'pg';
import { advise } from './advice.ts';
import { ask } from './ask.ts';
import { type CommonOptions, defineCommand, print, UserError, withDatabase } from './command.ts';
import { canonicalKeys } from './journal.ts';
import { type Explained, showExplained } from './show-explained.ts';

export function explainCommand(): Command {
  return defineCommand('explain', 'everything that is known of one identity, and what to do about it')
    .argument('<entity>')
    .argument('<key>')
    .action((entity: string, key: string, options: CommonOptions) =>
      withDatabase(options, async ({ pool }) => {
        const explained = await explain(pool, entity, key);
        if (options.json)
          print(
            options,
            explained.map((one) => ({ ...one, advice: advise(one) })),
          );
        else console.log(explained.map((one) => showExplained(one, advise(one))).join('\n\n'));
      }),
    );
}

/** What is known of a key, one record for each target that has the entity. */
const query = `
  select r.target, r.entity, $2::text as key, clock_timestamp() as now, t.state as target_state, t.reason as target_reason,
    (select to_jsonb(l) - '{target,entity,key,attributes,disable}'::text[] || jsonb_build_object('attributes',
       (select jsonb_object_agg(a.key, staffetta.shown_values(a.value)) from jsonb_each(l.attributes) a))
     from staffetta.link l where (l.target, l.entity, l.key) = (r.target, r.entity, $2)) as link,
    (select to_jsonb(b) - '{target,entity,key}'::text[] from staffetta.backlog b where (b.target, b.entity, b.key) = (r.target, r.entity, $2)) as delivery,
    coalesce((select jsonb_agg(to_jsonb(p) - 'target') from previewed p where p.target = r.target), '[]') as preview,
    coalesce((select jsonb_agg(to_jsonb(j) - '{target,entity,key}'::text[] order by j.at) from (
       select * from staffetta.journal j where (j.target, j.entity, j.key) = (r.target, r.entity, $2) order by j.at desc limit 5) j), '[]') as journal
  from staffetta.routes(null, $1) r join staffetta.target t on t.target = r.target
  order by r.target`;

async function explain(pool: pg.Pool, entity: string, key: string): Promise<Explained[]> {
  const [canonical, ...others] = await canonicalKeys(pool, entity, key);
  if (canonical === undefined || others.length > 0)
    throw new UserError(
      `The targets of entity "${entity}" do not agree on the type of its key; run \`staffetta apply\`.`,
    );
  const rows = await ask<Omit<Explained, 'desired' | 'unreadable'>>(
    pool,
    `with previewed as materialized (select * from staffetta.preview($1, $2)) ${query}`,
    [entity, canonical],
  );
  return Promise.all(rows.map(async (row): Promise<Explained> => ({ ...row, ...(await desiredOf(pool, row)) })));
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
