/** What a program printed: the answer in it, and words that may be stored and shown. */
import type { Exit } from './exit.ts';

/** So many places are tried, at most, where an object may begin. */
const attempts = 10_000;

/** The longest message that is handed on, in characters. */
const longest = 500;

/** The last JSON object of a text, whatever stands around it. */
export function lastObject(text: string): object | undefined {
  let left = attempts;
  for (let end = text.lastIndexOf('}'); end !== -1; end = end === 0 ? -1 : text.lastIndexOf('}', end - 1)) {
    for (let start = text.lastIndexOf('{', end); start !== -1 && left > 0; left--) {
      const object = parseObject(text.slice(start, end + 1));
      if (object !== undefined) return object;
      start = start === 0 ? -1 : text.lastIndexOf('{', start - 1);
    }
  }
  return undefined;
}

/** The JSON object that a text is; undefined where it is none. */
export function parseObject(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** How a program ended, with its last words. */
export function told(what: string, { stderr, stdout }: Pick<Exit, 'stderr' | 'stdout'>): string {
  const words = lastLine(stderr) || lastLine(stdout);
  return words === '' ? what : `${what}: ${words}`;
}

function lastLine(text: string): string {
  return text.trimEnd().split('\n').at(-1)?.trim() ?? '';
}

/** A text in which secrets cannot be read; of those that stand in each other, the longest is put out of sight first. */
export function mask(text: string, secrets: readonly string[]): string {
  return secrets
    .toSorted((one, other) => other.length - one.length)
    .reduce((masked, secret) => (secret === '' ? masked : masked.replaceAll(secret, '********')), text);
}

/** Whether what may be a secret or a mere setting has to be masked: what is shorter than eight characters is a setting. */
export function mayBeSecret(text: string): boolean {
  return text.length >= 8;
}

/** Text that PostgreSQL takes in JSON. */
export function storable(text: string): string {
  return text.toWellFormed().replaceAll('\0', '');
}

/** One line, not too long, of characters that may be stored and shown. */
export function oneLine(text: string): string {
  const plain = text.replaceAll(/[\p{Cc}\p{Cs}]+/gu, ' ').trim();
  return plain.length > longest ? `${plain.slice(0, longest)}…` : plain;
}
