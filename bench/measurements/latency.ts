/** How soon one change among few arrives. */
import { DatabaseServer } from '../database-server.ts';
import { Directory } from '../directory.ts';
import type { Figure } from '../figure.ts';
import type { Measurement } from '../measurement.ts';
import { sampleLatency } from '../sampler.ts';
import { Site } from '../site.ts';
import { percentile } from '../summary.ts';

const median: Figure = {
  name: 'latency.p50_ms',
  unit: 'ms',
  meaning: 'from a commit until a search finds the change, 50 changes a second',
  goal: { atMost: 20, better: 8 },
};

const late: Figure = {
  name: 'latency.p99_ms',
  unit: 'ms',
  meaning: 'the same, 99 of 100 changes',
  goal: { atMost: 80, better: 30 },
};

export const latency: Measurement = {
  name: 'latency',
  figures: [median, late],
  async measure(run, stack) {
    const people = run.size(20_000);
    const server = await DatabaseServer.start(run, stack);
    run.say(`a registry of ${people} people`);
    const url = await server.createUniversity('university', people);
    const site = await Site.open(run, stack, url, await Directory.start(stack));
    run.say('initial load');
    await site.load();
    // Everybody at most once in a round, the next round on with the next.
    const ids = Array.from({ length: people }, (_, index) => 1 + ((index * 7) % people));
    await sampleLatency(run, site, { rate: 50, seconds: 0.5, ids });
    for (const _ of run.eachRound()) {
      const lags = await sampleLatency(run, site, { rate: 50, seconds: run.seconds(30), ids });
      run.record(median, percentile(lags, 0.5));
      run.record(late, percentile(lags, 0.99));
    }
  },
};
