import { createInterface } from 'node:readline/promises';
import { UserError } from './user-error.ts';

/** Where a question is asked; default: the terminal, standard error for what we say. */
export interface Conversation {
  readonly input?: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly output?: NodeJS.WritableStream;
}

/**
 * Has a person say yes to what cannot be undone. Throws UserError where they do not, or nobody is there: then the command
 * wants `--yes`.
 */
export async function confirm(
  question: string,
  { input = process.stdin, output = process.stderr }: Conversation = {},
): Promise<void> {
  if (!input.isTTY) throw new UserError(`${question}\nThere is no terminal to ask at: add --yes.`, 2);
  const terminal = createInterface({ input, output });
  const gone = new Promise<string>((resolve) => terminal.once('close', () => resolve('')));
  try {
    const answer = await Promise.race([terminal.question(`${question}\nGo on? Answer "yes": `), gone]);
    if (answer.trim().toLowerCase() !== 'yes') throw new UserError('Nothing was done.');
  } finally {
    terminal.close();
  }
}
