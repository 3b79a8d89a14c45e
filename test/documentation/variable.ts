/** What may be another at each run. Nothing else may: a page whose outputs differ in anything else is out of date. */
const patterns: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ, (in )?\d+(\.\d)? (s|min|h|d)( ago)?/g, 'MOMENT'],
  [/\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?(Z|\+00(:00)?)?/g, 'TIME'],
  [/\d{4}-\d\d-\d\d \d\d:\d\d UTC/g, 'TIME'],
  [/\b\d+(\.\d)? (s|min)\b/g, 'LENGTH'],
  [/(?<=127\.0\.0\.1:)\d+/g, 'PORT'],
  [/\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, 'UUID'],
  [/(?<=^\S+ +(ok|failed) +)\d+/gm, 'MILLISECONDS'],
  [/^migrated +\S+\n/gm, ''], // the tables of the version that made the page
  [/^\w+ on \w+: \d+\n/gm, ''], // how far long work has come, each five seconds
  // Columns are as wide as what stands in them.
  [/ {2,}/g, '  '],
  [/-{3,}/g, '---'],
];

/** A text whose variable parts have a name instead of their value. */
export function settle(text: string): string {
  return patterns.reduce((settled, [pattern, name]) => settled.replace(pattern, name), text);
}
