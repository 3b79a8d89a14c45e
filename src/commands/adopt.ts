/** `staffetta adopt TARGET [ENTITY]`: links existing entries with the identities they are those of, touching no entry. */
import type { Command } from 'commander';
import { type Adopted, adopt } from '../reconcile/adopt.ts';
import { ask } from './ask.ts';
import { type CommonOptions, defineCommand, print, withDatabase } from './command.ts';
import { FindingList } from './finding-list.ts';
import { Progress } from './progress.ts';
import { withRoutes } from './routes.ts';

interface Options extends CommonOptions {
  readonly yes?: boolean;
  readonly csv?: string;
  readonly iKnow?: boolean;
}

export function adoptCommand(): Command {
  return defineCommand('adopt', 'link existing entries with the identities they are those of, touching no entry')
    .argument('<target>')
    .argument('[entity]', 'only this entity')
    .option('--yes', 'write the links; otherwise only report')
    .option('--i-know', 'let a new target be written to, although entries stand there that are not linked')
    .option('--csv <file>', 'write every finding to a file, as CSV')
    .action((target: string, entity: string | undefined, options: Options) =>
      withDatabase(options, ({ loaded, pool }) =>
        withRoutes(pool, loaded, target, entity, async (session, routes) => {
          const list = options.csv === undefined ? undefined : new FindingList(options.csv);
          const done: Adopted[] = [];
          for (const { destination, route, links } of routes) {
            const progress = new Progress(`${route.entity} on ${route.target}`, links);
            const { signal: stop } = new AbortController();
            try {
              done.push(
                await adopt(session, loaded, destination, route, {
                  write: options.yes ?? false,
                  stop,
                  progress: (seen) => progress.update(seen),
                  ...(list ? { list: (findings) => list.add(route.target, route.entity, findings) } : {}),
                }),
              );
            } finally {
              progress.end();
            }
          }
          await list?.end();
          const complete = done.every(({ error }) => error === null);
          // With one of several entities adopted the others' entries would be written to unasked.
          if (complete && (options.iKnow || (options.yes && entity === undefined)))
            await ask(pool, 'select staffetta.admit($1)', [target]);
          show(done, options);
          if (!complete) process.exitCode = 1;
        }),
      ),
    );
}

function show(done: readonly Adopted[], options: Options): void {
  const summaries = done.map(({ target, entity, seen, linked, counts, adopted, error }) => ({
    target,
    entity,
    seen,
    linked,
    matched: counts.get('matched') ?? 0,
    ambiguous: counts.get('ambiguous') ?? 0,
    unmatched_entries: counts.get('unmatched entry') ?? 0,
    unmatched_identities: counts.get('unmatched identity') ?? 0,
    unreadable: counts.get('unreadable') ?? 0,
    adopted,
    error,
  }));
  const samples = done.flatMap(({ target, entity, samples }) =>
    samples.map((finding) => ({ target, entity, ...finding })),
  );
  // What was done needs nobody's attention any more.
  const shown = options.yes ? samples.filter(({ verdict }) => verdict !== 'matched') : samples;
  if (options.json) {
    print(options, { routes: summaries, samples });
    return;
  }
  print(
    options,
    summaries.map(({ error, ...counts }) => (error === null ? counts : { ...counts, error })),
  );
  if (shown.length > 0) {
    console.log(options.yes ? '\nLeft alone, some of each kind:' : '\nSome of each kind:');
    print(
      options,
      shown.map((finding) => ({
        ...finding,
        wanted: finding.wanted === finding.entry ? '(the same)' : finding.wanted,
      })),
    );
  }
  if (!options.yes && summaries.some(({ matched }) => matched > 0))
    console.log('\nNothing was written. With --yes, what matched is linked; no entry is touched by that.');
}
