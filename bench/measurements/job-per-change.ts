/** How fast changes of many arrive, against a system that adds a job for each. */
import { setTimeout } from 'node:timers/promises';
import { DatabaseServer } from '../database-server.ts';
import { Directory } from '../directory.ts';
import type { Figure } from '../figure.ts';
import type { Measurement } from '../measurement.ts';
import { JobPerChange } from '../peers/job-per-change.ts';
import { Site } from '../site.ts';
import { nextPhone } from '../telephone.ts';

const ratio: Figure = {
  name: 'replicate.vs_job_per_change',
  unit: '×',
  meaning: '20,000 people changed in one transaction: how many times as fast as one graphile-worker job for each',
  goal: { atLeast: 3 },
};

export const jobPerChange: Measurement = {
  name: 'job-per-change',
  figures: [ratio],
  async measure(run, stack) {
    const changed = run.size(20_000);
    const server = await DatabaseServer.start(run, stack);
    run.say(`a registry of ${2 * changed} people in two databases`);
    await server.createUniversity('theirs', 2 * changed);
    const directory = await Directory.start(stack);
    const site = await Site.open(run, stack, await server.copy('ours', 'theirs'), directory);
    run.say('initial load');
    await site.load();
    const peer = await JobPerChange.start(stack, server.url('theirs'), directory.server);
    for (const _ of run.eachRound()) {
      await server.checkpoint();
      const phone = nextPhone();
      const ours = await site.carry('update registry.person set phone = $2 where id <= $1', [changed, phone]);
      await directory.expectPhone(phone, changed);

      const other = nextPhone();
      const started = performance.now();
      await peer.pool.query('update registry.person set phone = $2 where id > $1', [changed, other]);
      while (!(await peer.isDone())) await setTimeout(50, undefined, { signal: run.stop });
      const theirs = performance.now() - started;
      await directory.expectPhone(other, changed);
      run.record(ratio, theirs / ours);
    }
  },
};
