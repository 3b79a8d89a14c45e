/** The program that a `config.yml` names for an action: a file in the backend's `bin`, and what it is called with. */
import { constants } from 'node:fs';
import { access, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import type { Program } from '../../programs/program.ts';

/** Finds a program; answers with what is wrong where it cannot be run. */
export async function findProgram(line: string, directory: string): Promise<Program | string> {
  const words = splitWords(line);
  if (words === undefined) return 'expected every quote to be closed';
  const [first, ...given] = words;
  if (first === undefined || first.text === '') return 'expected the name of a file in bin';
  try {
    const bin = await realpath(directory);
    const file = await realpath(join(bin, first.text));
    if (!file.startsWith(bin + sep))
      return `found "${first.text}", which lies outside of its bin; expected a file in it`;
    if (!(await stat(file)).isFile()) return `found "${first.text}", which is no file`;
    await access(file, constants.X_OK);
    const rest = line.slice(first.end).trim();
    return { line, file, arguments: given.map(({ text }) => text), rest, directory: bin };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    const name = `bin/${first.text}`;
    if (code === 'EACCES') return `${name} may not be executed: give it the right (chmod +x), and us to its folder`;
    return code === 'ENOENT' ? `there is no file ${name}` : `${name} cannot be used: ${code}`;
  }
}

interface Word {
  readonly text: string;
  /** Where it ends in the line. */
  readonly end: number;
}

/** The words of a line: quotes hold one together, a backslash takes what follows for itself. Undefined: an open quote. */
function splitWords(line: string): Word[] | undefined {
  const words: Word[] = [];
  const word = /\s*((?:\\.|'[^']*'|"(?:\\.|[^"\\])*"|[^\s'"\\])+)/gsy;
  for (let end = 0; line.slice(end).trim() !== ''; end = word.lastIndex) {
    const [, found] = word.exec(line) ?? [];
    if (found === undefined) return undefined;
    const text = found.replaceAll(
      /\\(.)|'([^']*)'|"((?:\\.|[^"\\])*)"/gs,
      (_, escaped?: string, single?: string, double?: string) =>
        escaped ?? single ?? (double ?? '').replaceAll(/\\(.)/gs, '$1'),
    );
    words.push({ text, end: word.lastIndex });
  }
  return words;
}
