import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { confirm } from '../../src/commands/confirm.ts';

const terminal = (answer: string) => {
  const input = Object.assign(new PassThrough(), { isTTY: true });
  const output = new PassThrough();
  input.end(answer);
  return { input, output };
};

describe('asking before what cannot be undone', () => {
  test.each(['yes\n', ' YES \n'])('goes on at %j, having asked', async (answer) => {
    const { input, output } = terminal(answer);
    await confirm('All of it?', { input, output });
    expect(String(output.read())).toContain('All of it?\nGo on? Answer "yes": ');
  });

  test.each(['\n', 'y\n', 'no\n', ''])('does nothing at %j', async (answer) => {
    await expect(confirm('All of it?', terminal(answer))).rejects.toThrow('Nothing was done.');
  });

  test('wants --yes where nobody can answer', async () => {
    const input = new PassThrough();
    await expect(confirm('All of it?', { input })).rejects.toMatchObject({
      exitCode: 2,
      message: 'All of it?\nThere is no terminal to ask at: add --yes.',
    });
  });
});
