import type { Command } from 'commander';
import { type Applied, apply } from '../apply/apply.ts';
import { dryRun } from '../apply/dry-run.ts';
import { planApply } from '../apply/plan.ts';
import { type CommonOptions, defineCommand, print, UserError, withDatabase } from './command.ts';
import { showPlan } from './show-plan.ts';

/** `staffetta apply [--dry-run | --plan]`: brings the database to what the configuration says. */
export function applyCommand(): Command {
  return defineCommand('apply', 'bring the database to what the configuration says')
    .option('--dry-run', 'print the SQL that would be run, and change nothing')
    .option('--plan', 'say what it would do to the entries of each target, and change nothing')
    .action((options: CommonOptions & { dryRun?: boolean; plan?: boolean }) =>
      withDatabase(options, async ({ loaded, pool }) => {
        if (options.plan) {
          if (options.dryRun) throw new UserError('Choose one of --dry-run and --plan.', 2);
          const planned = await planApply(pool, loaded);
          if (options.json) print(options, { ...planned });
          else console.log(showPlan(planned));
          if (planned.routes.some(({ error }) => error !== null)) process.exitCode = 1;
          return;
        }
        if (options.dryRun) {
          const statements = await dryRun(pool, loaded);
          if (options.json) print(options, { statements });
          else console.log(statements.length === 0 ? '-- Nothing to do.' : statements.join('\n\n'));
          return;
        }
        const applied = await apply(pool, loaded);
        for (const warning of applied.warnings) console.error(`warning: ${warning}`);
        if (options.json) return print(options, { ...applied });
        for (const line of describe(applied)) console.log(line);
      }),
    );
}

function describe({ migrations, captured, released, modes, routes, retired }: Applied): string[] {
  const lines = [
    ...migrations.map((name) => `migrated     ${name}`),
    ...captured.map((name) => `captured     ${name}`),
    ...released.map((name) => `not captured ${name} any longer`),
    ...routes.map(
      ({ target, entity, reason }) =>
        `mapped       ${entity} to ${target} (${reason}; a rescan will find what differs)`,
    ),
    ...modes.map(({ target, before, mode }) => `mode         of target ${target}: ${before} → ${mode}`),
    ...retired.map((name) => `retired      target ${name}: its links are kept, nothing is sent to it`),
  ];
  return lines.length > 0 ? lines : ['Nothing to do: the database is as the configuration says.'];
}
