/** The command that is called after each file. */
import type { FileConfig } from '../../config/file.ts';
import type { Exit } from '../../programs/exit.ts';
import { mask, mayBeSecret, oneLine, told } from '../../programs/output.ts';
import { run } from '../../programs/process.ts';
import { TargetError } from '../target.ts';

/** The most that it may print, in bytes. */
const maxOutput = 1_048_576;

/** Calls it for a file. `directory`: where it runs. Throws `unavailable` where it fails, `misconfigured` where there is none. */
export async function transfer(
  { run: words, timeout, env }: NonNullable<FileConfig['command']>,
  path: string,
  directory: string,
  signal: AbortSignal,
): Promise<void> {
  const [file = '', ...given] = words;
  const placed = given.map((word) => word.replaceAll('{file}', () => path));
  const named = given.some((word) => word.includes('{file}'));
  const program = { line: words.join(' '), file, arguments: named ? placed : [...placed, path], rest: '', directory };
  const patience = AbortSignal.any([signal, AbortSignal.timeout(timeout)]);
  const exit = await run(program, '', { env, shell: false, maxOutput }, patience);
  const reason = failureIn(exit);
  if (reason === undefined) return;
  const kind = exit.why === 'not started' ? 'misconfigured' : 'unavailable';
  const shown = mask(reason, Object.values(env).filter(mayBeSecret));
  throw new TargetError(kind, oneLine(`the command ${file}, called for ${path}, ${shown}`));
}

function failureIn(exit: Exit): string | undefined {
  switch (exit.why) {
    case 'not started':
      return `could not be started: ${exit.reason}`;
    case 'not reached':
    case 'too slow':
      return told('did not end within its time limit, and was killed', exit);
    case 'too much output':
      return 'printed more than a megabyte, and was killed';
  }
  if (exit.code === 0) return undefined;
  return told(exit.code === null ? `was killed by ${exit.signal}` : `ended with ${exit.code}`, exit);
}
