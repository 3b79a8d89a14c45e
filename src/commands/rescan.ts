import type { Command } from 'commander';
import type pg from 'pg';
import { ask } from './ask.ts';
import { type CommonOptions, defineCommand, print, withDatabase } from './command.ts';

interface Rescanned extends pg.QueryResultRow {
  readonly target: string;
  readonly entity: string;
  readonly compared: number;
  readonly enqueued: number;
  readonly error: string | null;
}

/**
 * `staffetta rescan [TARGET]`: compares all desired states with all links and enqueues the differences. Each entity of a
 * target is a transaction of its own, so that none keeps another's deliveries locked.
 */
export function rescanCommand(): Command {
  return defineCommand('rescan', 'compare all desired states with what was put there, and enqueue the differences')
    .argument('[target]', 'only this target')
    .action((target: string | undefined, options: CommonOptions) =>
      withDatabase(options, async ({ pool }) => {
        const routes = await ask<{ target: string; entity: string }>(
          pool,
          'select target, entity from staffetta.routes($1, null)',
          [target ?? null],
        );
        const answers: Rescanned[] = [];
        for (const route of routes) {
          const values = [route.target, route.entity];
          const columns = 'target, entity, compared::float8, enqueued::float8, error';
          answers.push(...(await ask<Rescanned>(pool, `select ${columns} from staffetta.rescan($1, $2)`, values)));
        }
        print(options, answers);
        if (answers.some(({ error }) => error !== null)) process.exitCode = 1;
      }),
    );
}
