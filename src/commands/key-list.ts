import { createReadStream } from 'node:fs';
import { UserError } from './user-error.ts';

/** Keys that are asked for in one statement. */
const chunkSize = 1000;

/**
 * The keys of a file (`-`: standard input), one per line, in chunks, so that a file of any length can be read. Lines may
 * end with CR LF; blank ones are left out; a key that stands in a chunk twice comes once. Throws UserError for a file
 * that cannot be read, is not UTF-8, or has a NUL, which no key can contain.
 */
export async function* readKeys(file: string): AsyncGenerator<string[]> {
  const place = file === '-' ? 'standard input' : file;
  let chunk = new Set<string>();
  let number = 0;
  for await (const line of readLines(file, place)) {
    number += 1;
    if (line.includes('\0'))
      throw new UserError(`${place}, line ${number}: a key cannot contain a NUL byte; expected one key per line.`, 2);
    if (line.trim() === '') continue;
    chunk.add(line);
    if (chunk.size === chunkSize) {
      yield [...chunk];
      chunk = new Set();
    }
  }
  if (chunk.size > 0) yield [...chunk];
}

/** Lines end with LF or CR LF and with nothing else, whatever else Unicode calls a line end. */
async function* readLines(file: string, place: string): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const input: AsyncIterable<Buffer> = file === '-' ? process.stdin : createReadStream(file);
  let rest = '';
  try {
    for await (const bytes of input) {
      const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) yield line.replace(/\r$/, '');
    }
    rest += decoder.decode();
  } catch (error) {
    if (error instanceof UserError) throw error;
    const reason =
      error instanceof TypeError ? 'it is not UTF-8 text' : error instanceof Error ? error.message : String(error);
    throw new UserError(`The keys in ${place} cannot be read: ${reason}.`, 2);
  }
  if (rest !== '') yield rest.replace(/\r$/, '');
}

/** Keys given one by one, in chunks, each once. */
export async function* chunksOf(keys: readonly string[]): AsyncGenerator<string[]> {
  const distinct = [...new Set(keys)];
  for (let start = 0; start < distinct.length; start += chunkSize) yield distinct.slice(start, start + chunkSize);
}
