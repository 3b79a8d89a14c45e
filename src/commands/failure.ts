import { CommanderError } from 'commander';
import pg from 'pg';
import { LockTimeout } from '../apply/lock.ts';
import { ConfigError } from '../config/problem.ts';
import { SecretError } from '../config/secret.ts';
import { SchemaMismatch } from '../database/schema-mismatch.ts';
import { LaunchError } from '../demo/launch-error.ts';
import { TourError } from '../demo/tour-error.ts';
import { Refused } from '../refused.ts';
import { UserError } from './user-error.ts';

/** What a command that failed says, on standard error, and the exit code it ends with. */
export interface Failure {
  /** Undefined where everything has been said already. */
  readonly message: string | undefined;
  readonly exitCode: number;
}

/** Turns any error into words and an exit code: 1 the work failed, 2 wrong usage or configuration. */
export function describeFailure(error: unknown, debug = process.env.STAFFETTA_DEBUG === '1'): Failure {
  if (error instanceof CommanderError) return { message: undefined, exitCode: error.exitCode === 0 ? 0 : 2 };
  if (error instanceof ConfigError || error instanceof SecretError) return { message: error.message, exitCode: 2 };
  if (error instanceof UserError) return { message: error.message, exitCode: error.exitCode };
  if (error instanceof LaunchError || error instanceof TourError) return { message: error.message, exitCode: 1 };
  if (error instanceof LockTimeout || error instanceof Refused || error instanceof SchemaMismatch)
    return { message: error.message, exitCode: 1 };
  if (debug && error instanceof Error) return { message: error.stack ?? error.message, exitCode: 1 };
  return { message: `${words(error)}\n(STAFFETTA_DEBUG=1 shows where this happened.)`, exitCode: 1 };
}

// A database error's `detail` may repeat a whole row, passwords included, so it is not shown.
function words(error: unknown): string {
  if (!(error instanceof pg.DatabaseError)) return error instanceof Error ? error.message : String(error);
  const missing = ['3F000', '42P01', '42883'].includes(error.code ?? '') && error.message.includes('staffetta');
  const hint = missing ? 'Run `staffetta apply` first.' : error.hint;
  return `PostgreSQL says: ${error.message}${hint ? `\n${hint}` : ''}`;
}
