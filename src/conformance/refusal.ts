import assert from 'node:assert/strict';
import type { TargetErrorKind } from '../targets/target.ts';
import type { Bench } from './bench.ts';

/** How an attempt is to fail. */
export interface Expected {
  /** One of these. */
  readonly kind: TargetErrorKind | readonly TargetErrorKind[];
  /** Left out: it may be so or not. */
  readonly unsure?: boolean;
}

/** Awaits that an attempt fails as expected: by a TargetError that says something to a person, and no secret. */
export async function fails(
  { secrets = [] }: Bench,
  attempt: Promise<unknown>,
  { kind, unsure }: Expected,
): Promise<void> {
  const error = await attempt.then(
    () => assert.fail(`it did what was to fail as ${[kind].flat().join(' or ')}`),
    (thrown: unknown) => thrown,
  );
  if (error instanceof assert.AssertionError) throw error;
  assert.ok(error instanceof Error && error.name === 'TargetError', `expected a TargetError, it threw ${error}`);
  assert.ok('kind' in error && 'unsure' in error, 'a TargetError has `kind` and `unsure`');
  assert.ok(
    [kind].flat().some((one) => one === error.kind),
    `kind ${error.kind}, expected ${kind}: ${error.message}`,
  );
  if (unsure !== undefined) assert.equal(error.unsure, unsure, `unsure ${error.unsure}: ${error.message}`);
  assert.notEqual(error.message.trim(), '', 'its message is empty');
  assert.ok(!/\n\s+at /.test(error.message), `its message has a stack trace: ${error.message}`);
  for (const secret of secrets) assert.ok(!error.message.includes(secret), 'its message shows a secret');
}
