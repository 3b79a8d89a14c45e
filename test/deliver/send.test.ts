import { describe, expect, test } from 'vitest';
import { defaults, type Parameters } from '../../src/database/parameters.ts';
import type { Loaded } from '../../src/deliver/load.ts';
import type { Outcome } from '../../src/deliver/outcome.ts';
import type { Write } from '../../src/deliver/plan.ts';
import { plan } from '../../src/deliver/planner.ts';
import type { Destination } from '../../src/deliver/route.ts';
import { failed, send } from '../../src/deliver/send.ts';
import type { TargetErrorKind } from '../../src/targets/target.ts';
import { hang, refusal, ScriptedTarget } from './scripted-target.ts';
import { claimed, context, desired, link, loaded, secret } from './situation.ts';

const parameters: Parameters = { ...defaults, RETRY_ATTEMPTS: 3, RETRY_SECONDS: 8 };

function destination(target = new ScriptedTarget(), timeout = 5_000): Destination {
  return { name: 'directory', target, routes: new Map(), referred: [], concurrency: 1, timeout, batch: 1, secret };
}

function writeOf(situation: Loaded): Write {
  const planned = plan(situation, undefined, undefined, context());
  if (planned.do !== 'write') throw new Error(`expected a write, not ${planned.do}`);
  return planned;
}

const creating = loaded({ desired: desired() });
const renaming = loaded({ desired: desired({ remoteId: 'uid=Eve' }), link: link() });
const fail = (situation: Loaded, kind: TargetErrorKind, { unsure = false, attempts = 0 } = {}): Outcome => {
  const at = { ...situation, claimed: claimed({ attempts }) };
  return failed(destination(), at, refusal(kind, 'no', unsure), parameters, writeOf(at));
};

describe('what a failure means for a delivery', () => {
  test.each<[TargetErrorKind, Outcome['outcome'], boolean]>([
    ['gone', 'again', true],
    ['converged', 'again', true],
    ['exists', 'park', false],
    ['unavailable', 'release', false],
    ['misconfigured', 'release', false],
    ['dependency', 'wait', false],
    ['rejected', 'park', false],
    ['unknown', 'retry', true],
    ['one-sided', 'park', false],
  ])('%s: %s (unsure: %s)', (kind, outcome, unsure) => {
    expect(fail(renaming, kind)).toMatchObject({ outcome, unsure, error: { kind, message: 'no' } });
  });

  test.each<[TargetErrorKind, Outcome['outcome']]>([
    ['gone', 'retry'],
    ['converged', 'retry'],
    ['unknown', 'retry'],
    ['dependency', 'wait'],
    ['unavailable', 'release'],
    ['misconfigured', 'release'],
  ])('%s for the second time: %s, after a longer pause', (kind, outcome) => {
    const { dueIn, outcome: then } = fail(renaming, kind, { attempts: 1 });
    expect(then).toBe(outcome);
    if (outcome === 'release') expect(dueIn).toBeUndefined();
    else expect(dueIn).toBeGreaterThanOrEqual(parameters.RETRY_SECONDS);
  });

  test.each<[TargetErrorKind, Outcome['outcome']]>([
    ['gone', 'park'],
    ['converged', 'park'],
    ['unknown', 'park'],
    ['dependency', 'park'],
    ['unavailable', 'release'],
    ['misconfigured', 'release'],
  ])('%s for the last time: %s', (kind, outcome) => {
    expect(fail(renaming, kind, { attempts: parameters.RETRY_ATTEMPTS - 1 }).outcome).toBe(outcome);
  });

  test('what may have been done is handed on as doubt, with the remote id it was meant to have', () => {
    for (const kind of ['unavailable', 'unknown', 'rejected', 'exists', 'dependency', 'one-sided'] as const) {
      expect(fail(creating, kind, { unsure: true })).toMatchObject({ unsure: true, sent: 'uid=ada,ou=people' });
      expect(fail(renaming, kind, { unsure: true })).toMatchObject({ unsure: true, sent: 'uid=Eve' });
    }
  });

  test('what was refused for certain gives the new remote id back, and only that', () => {
    expect(fail(creating, 'rejected').reserved).toEqual([]);
    expect(fail(renaming, 'rejected').reserved).toEqual(['uid=ada,ou=people']);
  });

  test('an entry that is there without a link keeps its remote id though its change was refused', () => {
    const found = { remoteId: 'UID=there', attributes: {} };
    const planned = plan(creating, found, undefined, context());
    if (planned.do !== 'write') throw new Error('expected a write');
    const { reserved } = failed(destination(), creating, refusal('rejected'), parameters, planned);
    expect(reserved).toEqual(['uid=there']);
  });

  test('what may have been done keeps every remote id', () => {
    expect(fail(renaming, 'rejected', { unsure: true }).reserved).toBeUndefined();
    expect(fail(creating, 'unknown', { attempts: 2 })).toMatchObject({ outcome: 'park', unsure: true });
    expect(fail(creating, 'unknown', { attempts: 2 }).reserved).toBeUndefined();
    expect(failed(destination(), creating, refusal('rejected'), parameters).reserved).toBeUndefined();
  });

  test('a link is never touched by a failure', () => {
    for (const kind of ['gone', 'rejected', 'unknown', 'unavailable', 'dependency'] as const)
      expect(fail(renaming, kind)).not.toHaveProperty('link');
  });
});

describe('sending a change', () => {
  test('says what was written, and under which ids', async () => {
    const target = new ScriptedTarget();
    expect(await send(destination(target), creating, writeOf(creating), parameters)).toMatchObject({
      outcome: 'done',
      sent: 'uid=ada,ou=people',
      link: { remoteId: 'uid=ada,ou=people', stableId: 'entry-1', state: 'active', fingerprint: 'new' },
      reserved: ['uid=ada,ou=people'],
      journal: { operation: 'create', result: 'done', changed: ['cn'] },
    });
  });

  test('of an entry that somebody moved records where it is, and has it read', async () => {
    const target = new ScriptedTarget();
    const { stableId } = target.plant('uid=moved', { cn: ['Ada'] });
    const situation = loaded({
      desired: desired({ attributes: { cn: ['Eve'] } }),
      link: link({ stableId: stableId ?? null }),
    });
    expect(await send(destination(target), situation, writeOf(situation), parameters)).toMatchObject({
      outcome: 'again',
      unsure: true,
      link: { remoteId: 'uid=moved', fingerprint: null },
      reserved: ['uid=ada,ou=people', 'uid=moved'],
    });
  });

  test('of a removal drops the link and every reservation', async () => {
    const situation = loaded({ claimed: claimed({ absentFor: 10 }), link: link() });
    expect(await send(destination(), situation, writeOf(situation), parameters)).toMatchObject({
      outcome: 'done',
      link: null,
      reserved: [],
      journal: { operation: 'remove', changed: [] },
    });
  });

  test('of an adoption without changes sends nothing', async () => {
    const target = new ScriptedTarget();
    const planned = plan(
      creating,
      { remoteId: 'uid=ada,ou=people', stableId: 'entry-9', attributes: { cn: ['Ada'] } },
      undefined,
      context(),
    );
    if (planned.do !== 'write') throw new Error('expected a write');
    expect(await send(destination(target), creating, planned, parameters)).toMatchObject({
      outcome: 'done',
      link: { stableId: 'entry-9' },
      journal: { operation: 'adopt', changed: [] },
    });
    expect(target.changes).toEqual([]);
  });

  test('gives up at its deadline', async () => {
    const target = new ScriptedTarget();
    target.onChange = hang;
    const outcome = await send(destination(target, 20), creating, writeOf(creating), parameters);
    expect(outcome).toMatchObject({ outcome: 'release', unsure: true, error: { kind: 'unavailable' } });
  });

  test('lets a mistake of our own through', async () => {
    const target = new ScriptedTarget();
    target.onChange = () => {
      throw new TypeError('a bug');
    };
    await expect(send(destination(target), creating, writeOf(creating), parameters)).rejects.toThrow('a bug');
  });
});
