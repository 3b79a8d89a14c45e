/** Values that are hard to carry: each must arrive to the letter. */
import assert from 'node:assert/strict';
import type { Value } from '../targets/target.ts';
import type { Bench } from './bench.ts';
import { create, read, remove, titled, update } from './carry.ts';
import type { Case } from './case.ts';
import { fails } from './refusal.ts';

/** What is hard about a value, and the value. */
export const hardValues: Readonly<Record<string, string>> = {
  '100,000 characters': 'lorem ipsum '.repeat(8334).slice(0, 100_000),
  'line breaks': 'first\nsecond\r\nthird\n',
  'a tab': 'a\tb',
  emoji: '👩🏽‍🎓🏳️‍🌈',
  'combining characters': 'e\u0301 and \u00e9',
  'letters from right to left': 'مرحبا \u202eabc\u202c',
  'spaces around it': '  spaced  out  ',
  quotes: `"double" 'single' \`back\` „German“`,
  backslashes: 'C:\\new\\table \\u0041 \\2C',
  'commas and semicolons': 'a,b;c,"d"',
  'a part of XML': '</title><title>&amp;&lt;<![CDATA[x]]>]]>',
  'a part of JSON': '"],"admin":[true',
  'a part of LDIF': '\ndn: cn=x\nchangetype: delete\n-\n',
  'a part of SQL': `'); delete from person; --`,
  'a placeholder': '{title} {{title}} $HOME $$ %s',
  'a formula': '=HYPERLINK("http://x.example","x")',
  'a colon and a sign at its begin': ': < # -',
  'the look of a number': '007.50',
  'the look of true': 'true',
  'the look of nothing': 'null',
  'one space': ' x',
  'bytes in base64, as text': 'AAECAw==',
};

const bytes: Value = { base64: Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)).toString('base64') };

/** Values as a set: their order is nobody's. */
function unordered(values: readonly Value[] | undefined): string[] | undefined {
  return values?.map((value) => JSON.stringify(value)).sort();
}

async function hold(bench: Bench, name: string, attribute: string, expected: readonly Value[]): Promise<void> {
  assert.deepEqual(unordered(await bench.values?.(name, attribute)), unordered(expected));
}

export const values: readonly Case[] = [
  ...Object.entries(hardValues).map(
    ([what, value]): Case => ({
      name: `writes a value to the letter that has or is this: ${what}`,
      needs: [],
      async run(bench) {
        let entry = await create(bench, 'valued');
        try {
          const written = update(bench, entry, titled(bench, value));
          if (bench.refused?.has(value)) {
            await fails(bench, written, { kind: 'rejected' });
            assert.deepEqual(await bench.titles('valued'), ['first']);
            return;
          }
          await written;
          assert.deepEqual(await bench.titles('valued'), [value]);
          if (bench.target.read) assert.deepEqual((await read(bench, entry))?.attributes, { [bench.title]: [value] });
          await remove(bench, entry);
          entry = await create(bench, 'valued', value);
          assert.deepEqual(await bench.titles('valued'), [value]);
        } finally {
          await remove(bench, entry);
        }
      },
    }),
  ),
  {
    name: 'gives an attribute several values, and changes single ones of them',
    needs: ['several'],
    async run(bench) {
      const attribute = bench.several ?? '';
      const first = ['a@x.example', 'b@x.example', 'c, "d" <e@x.example>'];
      const entry = await create(bench, 'several', undefined, { more: { [attribute]: first } });
      await hold(bench, 'several', attribute, first);
      if (bench.target.read)
        assert.deepEqual(unordered((await read(bench, entry, attribute))?.attributes[attribute]), unordered(first));
      const changed = await update(bench, entry, [
        { attribute, action: 'add', values: ['f@x.example'] },
        { attribute, action: 'delete', values: ['a@x.example', 'b@x.example'] },
      ]);
      await hold(bench, 'several', attribute, ['c, "d" <e@x.example>', 'f@x.example']);
      const replaced = await update(bench, changed, [
        { attribute, action: 'replace', values: ['g@x.example', 'h@x.example'] },
      ]);
      await hold(bench, 'several', attribute, ['g@x.example', 'h@x.example']);
      await update(bench, replaced, [{ attribute, action: 'replace', values: [] }]);
      await hold(bench, 'several', attribute, []);
      assert.deepEqual(await bench.titles('several'), ['first']);
    },
  },
  {
    name: 'takes the addition of a value that is there and the deletion of one that is not, or says converged',
    needs: ['several'],
    async run(bench) {
      const attribute = bench.several ?? '';
      const there = { [attribute]: ['a@x.example'] };
      const entry = await create(bench, 'settled', undefined, { more: there });
      for (const [action, value] of [
        ['add', 'a@x.example'],
        ['delete', 'z@x.example'],
      ] as const)
        await update(bench, entry, [{ attribute, action, values: [value] }]).catch((error: unknown) => {
          if (!(error instanceof Error && 'kind' in error && error.kind === 'converged')) throw error;
        });
      await hold(bench, 'settled', attribute, ['a@x.example']);
    },
  },
  {
    name: 'writes bytes as they are',
    needs: ['bytes'],
    async run(bench) {
      const attribute = bench.bytes ?? '';
      const entry = await create(bench, 'bytes', undefined, { more: { [attribute]: [bytes] } });
      await hold(bench, 'bytes', attribute, [bytes]);
      if (bench.target.read) assert.deepEqual((await read(bench, entry, attribute))?.attributes[attribute], [bytes]);
      await update(bench, entry, [{ attribute, action: 'replace', values: [] }]);
      await hold(bench, 'bytes', attribute, []);
    },
  },
];
