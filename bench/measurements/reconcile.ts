/** How long it takes to compare a whole directory, against only reading it. */
import { DatabaseServer } from '../database-server.ts';
import { Directory } from '../directory.ts';
import type { Figure } from '../figure.ts';
import type { Measurement } from '../measurement.ts';
import { Site } from '../site.ts';

const ratio: Figure = {
  name: 'reconcile.verify_100k',
  unit: '',
  meaning: 'the command reconcile over 100,000 entries that are right, against ldapsearch reading them in pages (time)',
  goal: { atMost: 4, better: 2 },
};

const seconds: Figure = { name: 'reconcile.verify_100k_s', unit: 's', meaning: 'that command' };

export const reconcile: Measurement = {
  name: 'reconcile',
  figures: [ratio, seconds],
  async measure(run, stack) {
    const people = run.size(100_000);
    const server = await DatabaseServer.start(run, stack);
    run.say(`a registry of ${people} people`);
    const url = await server.createUniversity('university', people);
    const directory = await Directory.start(stack);
    const site = await Site.open(run, stack, url, directory);
    run.say('initial load');
    await site.load();
    for (const _ of run.eachRound()) {
      // It exits with 1 where it finds a difference.
      const { ms: ours } = await site.command('reconcile', 'directory', 'person');
      run.record(seconds, ours / 1_000);
      const { ms: theirs } = await directory.readPeople('/dev/null', run.stop);
      run.record(ratio, ours / theirs);
    }
  },
};
