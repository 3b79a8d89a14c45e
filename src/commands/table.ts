/** One line of an answer: column → value. */
export type Row = Readonly<Record<string, unknown>>;

/**
 * Rows as an aligned table with their keys as headings; numbers stand to the right. Lines longer than `columns` (those of
 * the terminal; default: no limit) are cut off with `…`.
 */
export function formatTable(rows: readonly Row[], columns = Number.POSITIVE_INFINITY): string {
  if (rows.length === 0) return '(none)';
  const keys = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const cells = [keys.map(heading), ...rows.map((row) => keys.map((key) => formatValue(row[key])))];
  const widths = keys.map((_, column) => Math.max(...cells.map((line) => widthOf(line[column] ?? ''))));
  const right = keys.map((key) => rows.every((row) => isNumber(row[key]) || row[key] == null));
  return cells
    .map((line) =>
      line
        .map((cell, column) => pad(cell, widths[column] ?? 0, right[column] ?? false))
        .join('  ')
        .trimEnd(),
    )
    .map((line) => cut(line, columns))
    .join('\n');
}

/** One record as lines, `key: value`, the values below each other. */
export function formatRecord(record: Row): string {
  const entries = Object.entries(record).map(([key, value]) => [`${heading(key)}:`, formatValue(value)] as const);
  const width = Math.max(0, ...entries.map(([key]) => widthOf(key)));
  return entries.map(([key, value]) => `${pad(key, width, false)}  ${value}`.trimEnd()).join('\n');
}

/** A value as a person reads it, on one line, without anything that would steer a terminal. */
export function formatValue(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (value instanceof Date) return value.toISOString();
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (Array.isArray(value)) return value.map(formatValue).join(', ');
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return text.replaceAll(/[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069]/gu, escapeCharacter);
}

function escapeCharacter(character: string): string {
  const short: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };
  return short[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

const graphemes = new Intl.Segmenter();

// East Asian wide and full-width forms, and emoji: two columns each.
const wide =
  /^[\u1100-\u115F\u2E80-\u303E\u3041-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6\u{20000}-\u{3FFFD}]|\p{Emoji_Presentation}/u;

/** How many columns of a terminal a text takes. */
export function widthOf(text: string): number {
  if (/^[\x20-\x7E]*$/.test(text)) return text.length;
  let width = 0;
  for (const { segment } of graphemes.segment(text)) width += widthOfGrapheme(segment);
  return width;
}

function widthOfGrapheme(grapheme: string): number {
  if (wide.test(grapheme)) return 2;
  return /^[\p{Mn}\p{Cf}]+$/u.test(grapheme) ? 0 : 1;
}

function cut(line: string, columns: number): string {
  if (widthOf(line) <= columns) return line;
  let kept = '';
  let width = 1;
  for (const { segment } of graphemes.segment(line)) {
    width += widthOfGrapheme(segment);
    if (width > columns) break;
    kept += segment;
  }
  return `${kept}…`;
}

function pad(text: string, width: number, right: boolean): string {
  const space = ' '.repeat(Math.max(0, width - widthOf(text)));
  return right ? space + text : text + space;
}

function heading(key: string): string {
  return key.replaceAll('_', ' ');
}

function isNumber(value: unknown): boolean {
  return typeof value === 'number' || typeof value === 'bigint';
}
