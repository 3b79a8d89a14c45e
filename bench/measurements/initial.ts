/** How fast an empty directory is filled, against OpenLDAP's own tool with the finished entries. */
import { DatabaseServer } from '../database-server.ts';
import { Directory } from '../directory.ts';
import type { Figure } from '../figure.ts';
import type { Measurement } from '../measurement.ts';
import { Site } from '../site.ts';

const ratio: Figure = {
  name: 'replicate.initial_vs_ldapadd',
  unit: '',
  meaning: 'initial load of 100,000 people, from the start of the daemon, against ldapadd (time)',
  goal: { atMost: 1.2, better: 1 },
};

const rate: Figure = { name: 'replicate.initial_per_s', unit: '/s', meaning: 'that, in people a second' };

export const initial: Measurement = {
  name: 'initial',
  figures: [ratio, rate],
  async measure(run, stack) {
    const people = run.size(100_000);
    const server = await DatabaseServer.start(run, stack);
    run.say(`a registry of ${people} people`);
    await server.createUniversity('university', people);
    for (const round of run.eachRound()) {
      await using part = new AsyncDisposableStack();
      const [one, other] = [await Directory.start(part), await Directory.start(part)];
      const site = await Site.open(run, part, await server.copy(`round_${round}`, 'university'), one);
      await server.checkpoint();
      const started = performance.now();
      await site.startDaemon();
      await site.carried();
      const ours = performance.now() - started;
      run.record(rate, (people * 1_000) / ours);

      const file = one.file('people.ldif');
      await one.readPeople(file, run.stop);
      const { ms: theirs } = await other.send('ldapadd', file, run.stop);
      await other.expectPeople(people);
      run.record(ratio, ours / theirs);
    }
  },
};
