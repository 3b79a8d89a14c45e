import { CommanderError } from 'commander';
import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { describeFailure } from '../../src/commands/failure.ts';
import { UserError } from '../../src/commands/user-error.ts';
import { ConfigError } from '../../src/config/problem.ts';
import { SecretError } from '../../src/config/secret.ts';
import { LaunchError } from '../../src/demo/launch-error.ts';
import { TourError } from '../../src/demo/tour-error.ts';

const hint = '\n(STAFFETTA_DEBUG=1 shows where this happened.)';

function databaseError(code: string, message: string, detail?: string): pg.DatabaseError {
  return Object.assign(new pg.DatabaseError(message, 0, 'error'), { code, detail });
}

describe('a command that fails', () => {
  test('for a mistake in the configuration says every one and exits 2', () => {
    const place = { path: ['targets'], file: 'staffetta.yml', line: 3, column: 1 };
    const error = new ConfigError([
      { ...place, message: 'missing' },
      { ...place, line: 4, message: 'wrong' },
    ]);
    expect(describeFailure(error)).toEqual({
      message: 'staffetta.yml:3:1: targets: missing\nstaffetta.yml:4:1: targets: wrong',
      exitCode: 2,
    });
    expect(describeFailure(new SecretError('no such file'))).toEqual({ message: 'no such file', exitCode: 2 });
  });

  test('for a reason it knows says that and no more', () => {
    expect(describeFailure(new UserError('no key 42'))).toEqual({ message: 'no key 42', exitCode: 1 });
    expect(describeFailure(new UserError('which?', 2))).toEqual({ message: 'which?', exitCode: 2 });
    expect(describeFailure(new LaunchError('no slapd'))).toEqual({ message: 'no slapd', exitCode: 1 });
    expect(describeFailure(new TourError('not there'))).toEqual({ message: 'not there', exitCode: 1 });
  });

  test('for wrong usage exits 2, and for having shown its help 0; both are said already', () => {
    expect(describeFailure(new CommanderError(1, 'commander.unknownOption', 'x')).exitCode).toBe(2);
    expect(describeFailure(new CommanderError(0, 'commander.helpDisplayed', 'x'))).toEqual({
      message: undefined,
      exitCode: 0,
    });
  });

  test('in the database never repeats the row', () => {
    const error = databaseError('23514', 'violates check', 'Failing row contains (geheim)');
    expect(describeFailure(error, false)).toEqual({ message: `PostgreSQL says: violates check${hint}`, exitCode: 1 });
  });

  test('for want of an apply says so', () => {
    const { message } = describeFailure(databaseError('42P01', 'relation "staffetta.status" does not exist'), false);
    expect(message).toContain('Run `staffetta apply` first.');
  });

  test('for a reason unknown shows its stack only when asked to', () => {
    const error = new Error('odd');
    expect(describeFailure(error, false)).toEqual({ message: `odd${hint}`, exitCode: 1 });
    expect(describeFailure(error, true).message).toBe(error.stack);
  });
});
