import { pino } from 'pino';

/** Where a daemon writes what it does: one JSON line each, for people through `pino-pretty`. Never a value of an attribute. */
export type Log = Pick<pino.Logger, 'debug' | 'info' | 'warn' | 'error'>;

/** A log on standard error. `STAFFETTA_LOG` sets the level (debug, info, warn, error, silent); default info. */
export function createLog(level = process.env.STAFFETTA_LOG ?? 'info'): Log {
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination(2));
}
