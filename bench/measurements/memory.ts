/** What memory a daemon takes at most while it drains a long queue. */
import type { Figure } from '../figure.ts';
import type { Measurement } from '../measurement.ts';
import { Million } from '../million.ts';

const peak: Figure = {
  name: 'memory.daemon_mib',
  unit: 'MiB',
  meaning: 'the most memory that the daemon took while a million deliveries were paid',
  goal: { atMost: 200, better: 120 },
};

export const memory: Measurement = {
  name: 'memory',
  figures: [peak],
  async measure(run) {
    const { peakMib } = await Million.of(run);
    run.record(peak, peakMib);
  },
};
