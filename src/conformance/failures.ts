/** What a failure means (`TargetErrorKind`): it decides everything that follows, so each must be told exactly. */
import assert from 'node:assert/strict';
import type { TargetErrorKind } from '../targets/target.ts';
import type { Bench } from './bench.ts';
import { create, patience, send, titled, update } from './carry.ts';
import type { Case } from './case.ts';
import { fails } from './refusal.ts';

/** Which are brought about by the bench, with what each means. */
const kinds: Readonly<Record<Exclude<TargetErrorKind, 'exists' | 'gone'>, string>> = {
  converged: 'that had been made already',
  unavailable: 'while it cannot be reached',
  misconfigured: 'for which its credentials, rights or certificates are wrong',
  dependency: 'that needs another entry first',
  rejected: 'that nobody but a person or the source can put right',
  'one-sided': 'for which it lacks the rights',
  unknown: 'that fails for a reason of which nothing is known',
};

async function suffer(bench: Bench, kind: TargetErrorKind): Promise<void> {
  const trouble = await bench.bring?.[kind]?.();
  if (trouble === undefined) return;
  try {
    await fails(bench, trouble.attempt?.(patience()) ?? create(bench, `trouble-${kind}`), { kind });
  } finally {
    await trouble.over?.();
  }
  await create(bench, `after-${kind}`);
  assert.deepEqual(await bench.titles(`after-${kind}`), ['first']);
}

export const failures: readonly Case[] = [
  {
    name: 'says exists of an entry that is to be created where there is one',
    needs: ['exists'],
    async run(bench) {
      await create(bench, 'twice');
      await fails(bench, create(bench, 'twice', 'second'), { kind: 'exists', unsure: false });
      assert.deepEqual(await bench.titles('twice'), ['first']);
      await suffer(bench, 'exists');
    },
  },
  {
    name: 'says exists of an entry that is to be given a name that is taken',
    needs: ['exists', 'rename'],
    async run(bench) {
      const mine = await create(bench, 'mine', 'my own');
      await create(bench, 'yours', 'yours');
      await fails(bench, update(bench, mine, [], { to: 'yours' }), { kind: 'exists' });
      assert.deepEqual(await bench.titles('mine'), ['my own']);
      assert.deepEqual(await bench.titles('yours'), ['yours']);
    },
  },
  {
    name: 'says gone of an entry to be changed that is not there',
    needs: ['gone'],
    async run(bench) {
      const change = {
        operation: 'update',
        entity: bench.entity,
        remoteId: bench.id('never'),
        changes: titled(bench, 'x'),
      } as const;
      const attributes = bench.attributes('never', 'x');
      const whole = { desired: attributes, written: attributes };
      await fails(bench, send(bench, change, whole), { kind: 'gone', unsure: false });
      assert.equal(await bench.titles('never'), undefined);
      await suffer(bench, 'gone');
    },
  },
  {
    name: 'says gone of an entry to be renamed that is not there',
    needs: ['gone', 'rename'],
    async run(bench) {
      const attributes = bench.attributes('never was');
      const never = { name: 'never was', remoteId: bench.id('never was'), attributes };
      await fails(bench, update(bench, never, titled(bench, 'x'), { to: 'never will' }), {
        kind: 'gone',
        unsure: false,
      });
      assert.equal(await bench.titles('never will'), undefined);
    },
  },
  ...Object.entries(kinds).map(([kind, what]): Case => {
    const need = nameOf(kind);
    return { name: `says ${kind} of a change ${what}`, needs: [need], run: (bench) => suffer(bench, need) };
  }),
];

function nameOf(kind: string): keyof typeof kinds {
  for (const known in kinds) if (known === kind && isKind(known)) return known;
  throw new Error(`${kind} is no kind of failure`);
}

function isKind(name: string): name is keyof typeof kinds {
  return name in kinds;
}
