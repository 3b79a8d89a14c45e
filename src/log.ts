import { pino } from 'pino';
import pretty from 'pino-pretty';

/** Where a daemon writes what it does. Never a value of an attribute. */
export type Log = Pick<pino.Logger, 'debug' | 'info' | 'warn' | 'error'>;

/**
 * A log on standard error: lines for a person on a terminal, one JSON object a line elsewhere. `STAFFETTA_LOG` sets the
 * level (debug, info, warn, error, silent); default info.
 */
export function createLog(level = process.env.STAFFETTA_LOG ?? 'info'): Log {
  const options = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime };
  if (!process.stderr.isTTY) return pino(options, pino.destination(2));
  return pino(options, pretty({ destination: 2, sync: true, translateTime: 'SYS:HH:MM:ss', singleLine: true }));
}
