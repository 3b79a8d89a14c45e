/** Passwords that were handed over. */
import assert from 'node:assert/strict';
import type { Password } from '../targets/target.ts';
import type { Bench } from './bench.ts';
import { address, create, type Entry, patience } from './carry.ts';
import type { Case } from './case.ts';
import { fails } from './refusal.ts';

const hardPasswords = {
  'many kinds of characters': `pa55 "word' \\ {x} $HOME % & < > é 漢 👩`,
  'spaces around it': '  s p a c e d  ',
  '120 characters': 'Aa1!'.repeat(30),
};

async function give(
  { target }: Bench,
  { attributes, ...entry }: Entry & { entity: string },
  password: Partial<Password> & Pick<Password, 'next'>,
  signal = patience(),
): Promise<void> {
  const whole = { desired: attributes, written: attributes };
  const where = { entity: entry.entity, ...address(entry) };
  await target.setPassword?.(where, { kind: 'reset', former: undefined, ...password }, signal, whole);
}

async function person(bench: Bench, name: string) {
  return { ...(await create(bench, name)), entity: bench.entity };
}

export const passwords: readonly Case[] = [
  {
    name: 'gives an entry a password, and another one instead of it',
    needs: ['setPassword'],
    async run(bench) {
      const entry = await person(bench, 'keeper');
      await give(bench, entry, { next: 'Erstes-9wort' });
      assert.equal(await bench.login?.('keeper', 'Erstes-9wort'), true);
      assert.equal(await bench.login?.('keeper', 'Erstes-9wor'), false);
      await give(bench, entry, { kind: 'change', next: 'Zweites-8wort', former: 'Erstes-9wort' });
      assert.equal(await bench.login?.('keeper', 'Zweites-8wort'), true);
      assert.equal(await bench.login?.('keeper', 'Erstes-9wort'), false);
    },
  },
  {
    name: 'takes the same password twice, and leaves the rest of the entry as it is',
    needs: ['setPassword'],
    async run(bench) {
      const entry = await person(bench, 'repeated');
      await give(bench, entry, { next: 'Dasselbe-7wort' });
      await give(bench, entry, { next: 'Dasselbe-7wort' });
      assert.equal(await bench.login?.('repeated', 'Dasselbe-7wort'), true);
      assert.deepEqual(await bench.titles('repeated'), ['first']);
    },
  },
  ...Object.entries(hardPasswords).map(
    ([what, next], at): Case => ({
      name: `takes a password with ${what}`,
      needs: ['setPassword'],
      async run(bench) {
        await give(bench, await person(bench, `phrase${at}`), { next });
        assert.equal(await bench.login?.(`phrase${at}`, next), true);
      },
    }),
  ),
  {
    name: 'says gone of an entry that is to have a password and is not there, without the password',
    needs: ['setPassword', 'gone'],
    async run(bench) {
      const next = 'Niemands-6wort';
      const nobody = {
        name: 'nobody',
        entity: bench.entity,
        remoteId: bench.id('nobody'),
        attributes: bench.attributes('nobody'),
      };
      await fails({ ...bench, secrets: [next] }, give(bench, nobody, { next }), { kind: 'gone', unsure: false });
    },
  },
  {
    name: 'gives no password for whoever has given up already',
    needs: ['setPassword'],
    async run(bench) {
      const entry = await person(bench, 'tardy');
      const late = give(bench, entry, { next: 'Zu-spaet-5wort' }, AbortSignal.abort());
      await fails(bench, late, { kind: 'unavailable', unsure: false });
      assert.equal(await bench.login?.('tardy', 'Zu-spaet-5wort'), false);
    },
  },
];
