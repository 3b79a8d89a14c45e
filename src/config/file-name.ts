/** How the files of a flow are called: a template over what is known when one is made. */

/** What stands for itself, or for what is known of a file. */
type Part =
  | string
  | { readonly what: 'entity' | 'date' | 'time' }
  | { readonly what: 'sequence'; readonly digits: number };

/** What is known of a file when it is made. */
export interface FileFacts {
  /** Whose entries are in it; `all` where those of several are. */
  readonly entity: string;
  readonly sequence: number;
  readonly at: Date;
}

/** Digits of a sequence number where the template does not say. */
const usualDigits = 6;

/** A template of names that cannot be used. */
export class FileNameError extends Error {
  override readonly name = 'FileNameError';
}

/**
 * Reads a template such as `people-{sequence:8}.csv`: `{sequence}` with its digits, `{entity}`, `{date}` (20260131) and
 * `{time}` (235959) in UTC. Throws FileNameError.
 */
export function parseFileName(template: string): readonly Part[] {
  if (!/^[^./\p{Cc}][^/\p{Cc}]*$/u.test(template))
    throw new FileNameError('expected the name of a file, without "/" and not beginning with "."');
  const parts = [...template.matchAll(/\{([^{}]*)\}|[^{}]+|[{}]/g)].map(([text, inside]): Part => {
    if (inside === undefined && /[{}]/.test(text)) throw new FileNameError('found a brace that is not part of a pair');
    return inside === undefined ? text : partOf(inside);
  });
  return parts;
}

function partOf(inside: string): Part {
  if (inside === 'entity' || inside === 'date' || inside === 'time') return { what: inside };
  const [, digits] = /^sequence(?::([1-9]|1[0-5]))?$/.exec(inside) ?? [undefined, null];
  if (digits === null)
    throw new FileNameError(
      'expected nothing in braces but {sequence}, {sequence:8} (1 to 15 digits), {entity}, {date} and {time}',
    );
  return { what: 'sequence', digits: digits === undefined ? usualDigits : Number(digits) };
}

/** Whether a template has this in it, so that files differ by it. */
export function namesBy(template: string, what: 'sequence' | 'entity'): boolean {
  return parseFileName(template).some((part) => typeof part !== 'string' && part.what === what);
}

/** The name of one file. */
export function fileName(template: string, { entity, sequence, at }: FileFacts): string {
  const [date = '', time = ''] = at
    .toISOString()
    .replaceAll(/[-:]|\..*/g, '')
    .split('T');
  return parseFileName(template)
    .map((part) => {
      if (typeof part === 'string') return part;
      if (part.what === 'sequence') return String(sequence).padStart(part.digits, '0');
      return { entity, date, time }[part.what];
    })
    .join('');
}
