/**
 * Words what the schema finds wrong: each of zod's issues becomes one or more Problems that say what was found and what
 * was expected. What was found is told as it was written, before any `${ENV}` was put in, and never where it may be a
 * password. Of a union, the variant that the value's shape comes closest to is chosen, and its own issues are told.
 */
import { z } from 'zod';
import { anyOf, describeValue, formsOf, quote } from './form.ts';
import { nearest } from './nearest.ts';
import { type Path, type Problem, valueAt } from './problem.ts';

/** An issue of zod, taken out of the unions around it: its path begins at the top of the file. */
export type Issue = Exclude<z.core.$ZodIssue, { code: 'invalid_key' | 'invalid_element' }>;

// zod hands the schema that an issue came from to its error map only. These remember what is needed of it, by the parts
// of an issue that it passes on as they are.
const knownKeys = new WeakMap<readonly string[], readonly string[]>();
const knownForms = new WeakMap<readonly unknown[], readonly string[]>();

/** An error map for `safeParse`: writes no message (only a schema's own words are kept), but remembers the schema. */
export function remember(issue: z.core.$ZodRawIssue): string {
  if (issue.code === 'unrecognized_keys' && issue.inst instanceof z.ZodObject && Array.isArray(issue.keys)) {
    knownKeys.set(issue.keys, Object.keys(issue.inst.shape));
  }
  if (issue.code === 'invalid_union' && Array.isArray(issue.errors)) {
    knownForms.set(issue.errors, formsOf(issue.inst));
  }
  return '';
}

/** The issues in a list, those of unions replaced by those of the variant that was meant, where one can be told. */
export function flatten(issues: readonly z.core.$ZodIssue[], value: unknown, above: Path = []): Issue[] {
  return issues.flatMap((issue): Issue[] => {
    const path = [...above, ...steps(issue.path)];
    if (issue.code === 'invalid_key' || issue.code === 'invalid_element') return flatten(issue.issues, value, path);
    if (issue.code === 'invalid_union' && issue.message === '') {
      const meant = choose(issue.errors, value, path);
      if (meant !== undefined) return flatten(meant, value, path);
    }
    return [{ ...issue, path }];
  });
}

type Variant = readonly z.core.$ZodIssue[];

/** The variant of a union that a value comes closest to; undefined if it has the form of none, or of several alike. */
function choose(variants: readonly Variant[], value: unknown, path: Path): Variant | undefined {
  if (variants.some((variant) => variant.some(isOtherKind)))
    return variants.find((variant) => !variant.some(isOtherKind)) ?? variants[0];
  if (variants.every((variant) => variant.some(isNoMapping))) return variants[0];
  const ranked = variants
    .filter((variant) => !variant.some(isWrongForm))
    .map((variant) => ({ variant, ...score(variant, value, path) }))
    .sort((left, right) => left.score - right.score);
  const [first, second] = ranked;
  if (first === undefined || (first.missing && first.score === second?.score)) return undefined;
  return first.variant;
}

/** Things of several kinds say under `type` which they are: of another kind, nothing else is worth telling. */
function isOtherKind({ path }: z.core.$ZodIssue): boolean {
  return path.length === 1 && path[0] === 'type';
}

function isNoMapping(issue: z.core.$ZodIssue): boolean {
  return issue.path.length === 0 && issue.code === 'invalid_type' && issue.expected === 'object';
}

function isWrongForm(issue: z.core.$ZodIssue): boolean {
  return issue.path.length === 0 && ['invalid_type', 'invalid_value', 'invalid_union'].includes(issue.code);
}

/** How far a value is from a variant: keys too many and keys missing, a slip of the pen counting half. */
function score(variant: Variant, value: unknown, path: Path): { score: number; missing: boolean } {
  const unknown = variant.flatMap((issue) => (issue.code === 'unrecognized_keys' ? [issue] : []));
  const slips = unknown.flatMap(({ keys }) =>
    keys.filter((key) => nearest(key, knownKeys.get(keys) ?? []) !== undefined),
  );
  const missing = variant.filter(
    (issue) => issue.path.length === 1 && isMissing(issue, value, [...path, ...steps(issue.path)]),
  );
  const count = unknown.reduce((sum, { keys }) => sum + keys.length, 0);
  return { score: count + missing.length - slips.length / 2, missing: missing.length > 0 };
}

/** Whether an issue says that a key which must be there is not. */
export function isMissing(issue: z.core.$ZodIssue, value: unknown, path: Path = steps(issue.path)): boolean {
  return issue.code !== 'unrecognized_keys' && path.length > 0 && valueAt(value, path) === undefined;
}

/** The problems that issues stand for. `written` is the file's value before the environment was put in. */
export function word(issues: readonly Issue[], written: unknown): Problem[] {
  const meant = issues.flatMap((issue) => (issue.code === 'unrecognized_keys' ? suggestions(issue) : []));
  return issues.flatMap((issue): Problem[] => {
    const path = steps(issue.path);
    if (issue.code === 'unrecognized_keys') return unknownKeys(issue);
    if (meant.some((other) => same(other, path))) return []; // it is there, but misspelt, and that is told already
    return [
      {
        path,
        message: message(issue, valueAt(written, path), isPrivate(path)),
        ...(isName(issue, path) ? { at: 'key' } : {}),
      },
    ];
  });
}

function unknownKeys(issue: z.core.$ZodIssueUnrecognizedKeys): Problem[] {
  const known = knownKeys.get(issue.keys) ?? [];
  return issue.keys.map((key) => {
    const near = nearest(key, known);
    const hint = near === undefined ? '.' : `; did you mean ${quote(near)}?`;
    return {
      path: [...steps(issue.path), key],
      at: 'key',
      message: `unknown key${hint} Known keys: ${known.join(', ')}`,
    };
  });
}

/** The places that misspelt keys were probably meant for. */
function suggestions(issue: z.core.$ZodIssueUnrecognizedKeys): Path[] {
  const known = knownKeys.get(issue.keys) ?? [];
  return issue.keys.flatMap((key) => {
    const near = nearest(key, known);
    return near === undefined ? [] : [[...steps(issue.path), near]];
  });
}

function message(issue: Issue, found: unknown, secret: boolean): string {
  const expected = expectation(issue, found);
  if (found === undefined) return `missing; ${expected}`;
  const shown = typeof found === 'string' && issue.code !== 'invalid_type' ? quote(found) : describeValue(found);
  if (!secret) return `found ${shown}, ${expected}`;
  if (found === null || typeof found === 'object') return `found ${shown}, ${expected}`;
  return typeof found === 'number' ? `${expected}; digits are put in quotes` : expected;
}

function expectation(issue: Issue, found: unknown): string {
  if (issue.message !== '') return issue.message;
  switch (issue.code) {
    case 'invalid_type': {
      const plain = typeof found === 'number' || typeof found === 'boolean';
      return issue.expected === 'string' && plain
        ? 'expected text: put it in quotes'
        : `expected ${kinds[issue.expected] ?? issue.expected}`;
    }
    case 'invalid_value':
      return oneOf(issue.values.map(String), found);
    case 'invalid_union':
      if ('options' in issue && issue.options) return oneOf(issue.options.map(String), found);
      return oneOf(knownForms.get(issue.errors) ?? [], found);
    case 'too_small':
      return issue.origin === 'array' ? 'expected at least one' : `expected at least ${issue.minimum}`;
    case 'too_big':
      return `expected at most ${issue.maximum}`;
    default:
      return 'expected another value';
  }
}

const kinds: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
};

function oneOf(choices: readonly string[], found: unknown): string {
  const near = typeof found === 'string' ? nearest(found, choices) : undefined;
  return `expected ${anyOf(choices)}${near === undefined ? '' : `; did you mean ${quote(near)}?`}`;
}

/** Whether what stands there may be a password, or hold one. */
function isPrivate(path: Path): boolean {
  return path.includes('password') || path[2] === 'secrets' || (path[0] === 'database' && path.length > 1);
}

/** Whether the issue is about the name itself that something stands under. */
function isName(issue: Issue, path: Path): boolean {
  return issue.code === 'custom' && issue.params !== undefined && Object.values(issue.params).includes(path.at(-1));
}

function steps(path: readonly PropertyKey[]): Path {
  return path.map((step) => (typeof step === 'symbol' ? String(step) : step));
}

function same(left: Path, right: Path): boolean {
  return left.length === right.length && left.every((step, index) => step === right[index]);
}
