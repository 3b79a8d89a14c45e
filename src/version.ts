import { readFileSync } from 'node:fs';

const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');

/** The version of Staffetta. */
export const version = /"version":\s*"([^"]+)"/.exec(text)?.[1] ?? 'unknown';
