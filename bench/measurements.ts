import type { Measurement } from './measurement.ts';
import { bulk } from './measurements/bulk.ts';
import { capture } from './measurements/capture.ts';
import { cost } from './measurements/cost.ts';
import { daemons } from './measurements/daemons.ts';
import { ingest } from './measurements/ingest.ts';
import { initial } from './measurements/initial.ts';
import { interactive } from './measurements/interactive.ts';
import { jobPerChange } from './measurements/job-per-change.ts';
import { latency } from './measurements/latency.ts';
import { memory } from './measurements/memory.ts';
import { reconcile } from './measurements/reconcile.ts';
import { replicate } from './measurements/replicate.ts';
import { rescan } from './measurements/rescan.ts';
import { script } from './measurements/script.ts';

/** Everything that is measured, in this order; those that share the million people come last. */
export const measurements: readonly Measurement[] = [
  capture,
  bulk,
  ingest,
  replicate,
  initial,
  jobPerChange,
  latency,
  reconcile,
  daemons,
  cost,
  script,
  interactive,
  memory,
  rescan,
];

/** The measurement of a name, or those with a figure whose name begins so; none: there is nothing of that name. */
export function findMeasurements(name: string): Measurement[] {
  const named = measurements.filter((measurement) => measurement.name === name);
  if (named.length > 0) return named;
  return measurements.filter(({ figures }) => figures.some((figure) => figure.name.startsWith(name)));
}
