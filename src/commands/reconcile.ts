/** `staffetta reconcile [TARGET] [ENTITY]`: compares everything that targets hold with what they should hold. */
import type { Command } from 'commander';
import type pg from 'pg';
import { type Reconciled, reconcile } from '../reconcile/reconcile.ts';
import { ask } from './ask.ts';
import { type CommonOptions, defineCommand, print, withDatabase } from './command.ts';
import { Progress } from './progress.ts';
import { withRoutes } from './routes.ts';
import { wholeNumber } from './whole-number.ts';

interface Options extends CommonOptions {
  readonly repair?: boolean;
  readonly limit: number;
}

interface Difference extends pg.QueryResultRow {
  readonly target: string;
  readonly entity: string;
  readonly key: string | null;
  readonly what: string;
  readonly remote_id: string | null;
  readonly attributes: readonly string[];
  readonly note: string | null;
  readonly repaired: boolean;
}

export function reconcileCommand(): Command {
  return defineCommand('reconcile', 'compare everything that targets hold with what they should hold')
    .argument('[target]', 'only this target')
    .argument('[entity]', 'only this entity')
    .option('--repair', 'enqueue replays that mend what is missing, changed, misplaced or unlinked')
    .option('--limit <number>', 'show at most so many differences', wholeNumber(0), 50)
    .action((target: string | undefined, entity: string | undefined, options: Options) =>
      withDatabase(options, ({ loaded, pool }) =>
        withRoutes(pool, loaded, target, entity, async (session, routes) => {
          const done: Reconciled[] = [];
          for (const { destination, route, links } of routes) {
            const progress = new Progress(`${route.entity} on ${route.target}`, links);
            try {
              const { signal: stop } = new AbortController();
              const update = (seen: number) => progress.update(seen);
              done.push(
                await reconcile(session, loaded, destination, route, {
                  repair: options.repair ?? false,
                  stop,
                  progress: update,
                }),
              );
            } finally {
              progress.end();
            }
          }
          await show(pool, done, options);
          if (done.some((one) => !one.complete || differences(one) > one.repaired)) process.exitCode = 1;
        }),
      ),
    );
}

async function show(pool: pg.Pool, done: readonly Reconciled[], options: Options): Promise<void> {
  const drift = await ask<Difference>(
    pool,
    `select target, entity, key, what, remote_id, attributes, note, repaired from staffetta.drift
     where (target, entity) in (select * from unnest($1::text[], $2::text[])) order by target, entity, what, key, remote_id limit $3`,
    [
      done.filter(({ complete }) => complete).map(({ target }) => target),
      done.filter(({ complete }) => complete).map(({ entity }) => entity),
      options.limit,
    ],
  );
  const total = done.reduce((sum, one) => sum + differences(one), 0);
  if (options.json) {
    print(options, { routes: done.map(({ run: _, ...one }) => one), differences: total, drift });
    return;
  }
  print(
    options,
    done.map(({ run: _, complete: __, error, ...counts }) => (error === null ? counts : { ...counts, error })),
  );
  if (total === 0) return;
  console.log('');
  if (drift.length > 0) print(options, drift);
  if (drift.length < total) console.log(`… and ${total - drift.length} more: select * from staffetta.drift`);
}

function differences(one: Reconciled): number {
  const { missing, changed, misplaced, unlinked, unexpected, unreadable } = one;
  return missing + changed + misplaced + unlinked + unexpected + unreadable;
}
