/** How soon one change arrives while a million others wait. */
import type { Figure } from '../figure.ts';
import type { Measurement } from '../measurement.ts';
import { Million } from '../million.ts';
import { percentile } from '../summary.ts';

const late: Figure = {
  name: 'latency.interactive_p99_ms',
  unit: 'ms',
  meaning: 'from a commit until a search finds the change, 5 changes a second, while a million bulk deliveries wait',
  goal: { atMost: 250, better: 100 },
};

const usual: Figure = {
  name: 'latency.interactive_p50_ms',
  unit: 'ms',
  meaning: 'half of the changes below',
};

export const interactive: Measurement = {
  name: 'interactive',
  figures: [usual, late],
  async measure(run) {
    const { lags } = await Million.of(run);
    run.record(usual, percentile(lags, 0.5));
    run.record(late, percentile(lags, 0.99));
  },
};
