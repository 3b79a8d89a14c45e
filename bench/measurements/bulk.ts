/** What capture costs a statement that changes everybody. */
import { DatabaseServer } from '../database-server.ts';
import { Directory } from '../directory.ts';
import type { Figure } from '../figure.ts';
import type { Measurement } from '../measurement.ts';
import { Site } from '../site.ts';
import { nextPhone } from '../telephone.ts';

const ratio: Figure = {
  name: 'capture.bulk_ratio',
  unit: '',
  meaning: 'one UPDATE of a million people, captured against not captured (time)',
  goal: { atMost: 1.3, better: 1.2 },
};

const seconds: Figure = { name: 'capture.bulk_s', unit: 's', meaning: 'that UPDATE, not captured' };

export const bulk: Measurement = {
  name: 'bulk',
  figures: [ratio, seconds],
  async measure(run, stack) {
    const people = run.size(1_000_000);
    const server = await DatabaseServer.start(run, stack);
    run.say(`a registry of ${people} people`);
    const url = await server.createUniversity('university', people);
    const site = await Site.open(run, stack, url, await Directory.start(stack));

    // One table for both, so that both find it as large and as worn; by itself it would lack room in the first round only.
    const change = async (triggers: 'enable' | 'disable') => {
      await site.pool.query(`alter table registry.person ${triggers} trigger user`);
      await site.pool.query('truncate staffetta.event');
      await site.pool.query('vacuum registry.person');
      await server.checkpoint();
      const started = performance.now();
      await site.pool.query('update registry.person set phone = $1', [nextPhone()]);
      return performance.now() - started;
    };
    run.say('a first change, which makes room for the others');
    await change('disable');
    for (const _ of run.eachRound()) {
      const without = await change('disable');
      run.record(seconds, without / 1_000);
      run.record(ratio, (await change('enable')) / without);
    }
  },
};
