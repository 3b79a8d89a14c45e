import type { Command } from 'commander';
import { type Rescannable, type Rescanned, rescanRoute } from '../reconcile/rescan.ts';
import { ask } from './ask.ts';
import { type CommonOptions, defineCommand, print, withDatabase } from './command.ts';

/**
 * `staffetta rescan [TARGET]`: compares all desired states with all links and enqueues the differences. Each entity of a
 * target by itself, so that none keeps another's deliveries locked.
 */
export function rescanCommand(): Command {
  return defineCommand('rescan', 'compare all desired states with what was put there, and enqueue the differences')
    .argument('[target]', 'only this target')
    .action((target: string | undefined, options: CommonOptions) =>
      withDatabase(options, async ({ pool }) => {
        const routes = await ask<Rescannable>(pool, 'select target, entity from staffetta.routes($1, null)', [
          target ?? null,
        ]);
        const answers: Rescanned[] = [];
        for (const route of routes) answers.push(...(await rescanRoute(pool, route)));
        print(options, answers);
        if (answers.some(({ error }) => error !== null)) process.exitCode = 1;
      }),
    );
}
