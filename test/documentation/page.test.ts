import { expect, test } from 'vitest';
import { perform, type Stage } from './page.ts';

/** A stage on which every command and statement prints the same. */
function createStage(printed: string): Stage & { readonly asked: string[] } {
  const asked: string[] = [];
  const note = (what: string) => async (text: string) => {
    asked.push(`${what} ${text}`);
    return printed;
  };
  return {
    asked,
    write: async (text) => void (await note('write')(text)),
    execute: async (role, text) => void (await note(role)(text)),
    shell: note('$'),
    query: note('=>'),
  };
}
const page = (output: string) => `Look:\n\n\`\`\`console\n$ status\n${output}\n$ status\n${output}\`\`\`\n\nFine.\n`;

test('a page keeps what it shows where only what may vary is another', async () => {
  const shown = page('done  2026-11-21 18:28:29Z, 40 min ago\n');
  expect(await perform(shown, createStage('done    2026-12-24 00:00:00Z, 1.0 s ago\n'))).toBe(shown);
});

test('a page gets what was printed where anything else is', async () => {
  const performed = await perform(page('done  2026-11-21 18:28:29Z, 40 min ago\n'), createStage('failed\n'));
  expect(performed).toBe(page('failed\n'));
});

test('what nothing is printed for shows nothing, and what was not shown is added', async () => {
  expect(await perform(page('old\n'), createStage(''))).toBe(page(''));
  expect(await perform(page(''), createStage('new\n'))).toBe(page('new\n'));
});

test('blocks are performed in their order, statements by the role that they name', async () => {
  const stage = createStage('');
  const text = [
    '```yaml\nversion: 1\n```',
    '```sql\n-- dba: at night\nselect 1;\n```',
    '```console\n$ add <<END\n> a\n>\n> b\n> END\nuniversity=> select 1\nuniversity->   where true;\n```',
    '```\n$ not run\n```\n',
  ].join('\n\n');
  expect(await perform(text, stage)).toBe(text);
  expect(stage.asked).toEqual([
    'write version: 1\n',
    'dba -- dba: at night\nselect 1;\n',
    '$ add <<END\na\n\nb\nEND',
    '=> select 1\n  where true;',
  ]);
});
