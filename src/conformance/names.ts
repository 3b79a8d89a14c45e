/** Names that people have, and names that somebody chose to do harm: each is one entry, and touches no other. */
import assert from 'node:assert/strict';
import type { Bench } from './bench.ts';
import { create, patience, read, remove, titled, update } from './carry.ts';
import type { Case } from './case.ts';
import { fails } from './refusal.ts';

/** What is hard about a name, and the name. */
export const hardNames: Readonly<Record<string, string>> = {
  'a comma': 'Rossi, Anna',
  'a plus sign': 'anna+rossi=1',
  quotes: `"Anna" 'd''Este' \`x\``,
  backslashes: 'uni\\anna\\\\2C',
  'a hash': '#anna#',
  'spaces around it': '  spaced out ',
  slashes: 'staff/anna//rossi/',
  'percent signs': '100%25 %2e%2e%2f%00',
  'one dot': '.',
  'two dots': '..',
  'a way out of a folder': '../../../etc/passwd',
  'an emoji of several code points': '👩🏽‍🎓 anna',
  'combining characters': 'Ame\u0301lie Nguye\u0302\u0303n',
  'letters from right to left': 'أحمد בן עלי',
  '200 characters': 'long'.repeat(50),
  'a wildcard': 'anna*',
  'a part of an LDAP filter': 'anna)(|(uid=*))',
  'a part of a DN': 'anna,ou=people',
  'a part of an SQL statement': `'; drop table person; --`,
  'a part of XML': '</uid><uid a="1">&amp;<![CDATA[x]]>',
  'a part of JSON': '","admin":true,"x":{"$ne":null}',
  'a part of a URL': 'anna?x=1&y=2;z#f@host:80',
  'a placeholder': '{uid} {{uid}} $HOME %s',
  'a part of a command': '$(id) | ; & > < !',
  'a formula': '=1+1',
  'a line break': 'anna\nuid: root\r\n\r\nx',
  'the look of an option': '-rf',
  'the look of a number': '0042',
  'the look of nothing': 'null',
  'a word that objects know': '__proto__',
};

/** Many systems take NUL for the end of a text. */
const cut = 'anna\0rossi';

/** Names that may be one on a target or two, as it says itself. */
const pairs: readonly (readonly [string, string, string])[] = [
  ['case', 'Casandra', 'casandra'],
  ['spaces around them', 'around', ' around '],
  ['the number of spaces', 'in between', 'in  between'],
  ['how a letter is put together', 'Ame\u0301lie', 'Am\u00e9lie'],
  ['accents', 'Zoe', 'Zoë'],
];

/** Every part of an entry's life, under a hard name, beside another entry that is to stay as it is. */
async function live(bench: Bench, name: string): Promise<void> {
  const { target, entity, unique, title } = bench;
  const entry = await create(bench, name);
  assert.equal(target.normalise(entry.remoteId), target.normalise(bench.id(name)));
  assert.deepEqual(await bench.titles(name), ['first']);
  if (target.read) assert.deepEqual((await read(bench, entry))?.attributes, { [title]: ['first'] });
  const value = bench.attributes(name)[unique]?.[0];
  if (target.find && value !== undefined) {
    const found = await target.find([{ key: name, entity, where: { [unique]: value } }], [title], patience());
    assert.deepEqual(
      found.get(name)?.map(({ remoteId }) => target.normalise(remoteId)),
      [target.normalise(entry.remoteId)],
    );
  }
  const changed = await update(bench, entry, titled(bench, 'second'));
  assert.deepEqual(await bench.titles(name), ['second']);
  await remove(bench, changed);
  assert.equal(await bench.titles(name), undefined);
}

async function isRefused(bench: Bench, name: string): Promise<void> {
  await fails(bench, (async () => create(bench, name))(), { kind: 'rejected', unsure: false });
}

export const names: readonly Case[] = [
  ...Object.entries(hardNames).map(
    ([what, name]): Case => ({
      name: `takes a name with or like this: ${what}`,
      needs: [],
      async run(bench) {
        const beside = await create(bench, 'anna', 'a bystander');
        try {
          if (bench.refused?.has(name)) await isRefused(bench, name);
          else await live(bench, name);
          assert.deepEqual(await bench.titles('anna'), ['a bystander']);
        } finally {
          await remove(bench, beside);
        }
      },
    }),
  ),
  {
    name: 'refuses a name with NUL in it or takes it to the letter, and does not cut it short',
    needs: [],
    async run(bench) {
      const beside = await create(bench, 'anna', 'a bystander');
      try {
        const error = await live(bench, cut).then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
        if (error !== undefined) await fails(bench, Promise.reject(error), { kind: 'rejected', unsure: false });
        assert.deepEqual(await bench.titles('anna'), ['a bystander']);
      } finally {
        await remove(bench, beside);
      }
    },
  },
  {
    name: 'renames an entry to a hard name and back',
    needs: ['rename'],
    async run(bench) {
      const hard = `"O'Brien", Åsa+x \\ #1`;
      const entry = await create(bench, 'plain');
      const renamed = await update(bench, entry, [], { to: hard });
      assert.deepEqual(await bench.titles(hard), ['first']);
      await update(bench, renamed, [], { to: 'plain' });
      assert.deepEqual(await bench.titles('plain'), ['first']);
    },
  },
  ...pairs.map(
    ([what, one, other]): Case => ({
      name: `takes two names that differ by ${what} for one entry exactly where it says so`,
      needs: ['exists'],
      async run(bench) {
        const { target } = bench;
        const first = await create(bench, one, 'of the one');
        if (target.normalise(bench.id(one)) === target.normalise(bench.id(other))) {
          await fails(bench, create(bench, other), { kind: 'exists' });
          return void (await remove(bench, first));
        }
        const second = await create(bench, other, 'of the other');
        assert.deepEqual(await bench.titles(one), ['of the one']);
        await remove(bench, first);
        assert.deepEqual(await bench.titles(other), ['of the other']);
        await remove(bench, second);
      },
    }),
  ),
];
