/** How long it takes to find that nothing is to be done. */
import type { Figure } from '../figure.ts';
import type { Measurement } from '../measurement.ts';
import { Million } from '../million.ts';

const seconds: Figure = {
  name: 'rescan.noop_1m_s',
  unit: 's',
  meaning: 'rescan of a million identities with nothing to do',
  goal: { atMost: 25, better: 10 },
};

const peak: Figure = {
  name: 'rescan.peak_mib',
  unit: 'MiB',
  meaning: 'the most memory that the command took meanwhile',
  goal: { atMost: 250 },
};

export const rescan: Measurement = {
  name: 'rescan',
  figures: [seconds, peak],
  async measure(run) {
    const { site } = await Million.of(run);
    await site.pool.query('vacuum analyze');
    for (const _ of run.eachRound()) {
      const { ms, peakMib, stdout } = await site.command('rescan', 'directory', '--json');
      if (/"enqueued": *[1-9]/.test(stdout)) throw new Error(`the rescan found something to do:\n${stdout}`);
      run.record(seconds, ms / 1_000);
      run.record(peak, peakMib);
    }
  },
};
