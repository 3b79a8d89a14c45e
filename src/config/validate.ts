/**
 * Validates a whole file and still finds every mistake: after a round of the schema, what it complained of is taken out
 * and the rest is validated again, until it holds. Checks that need sound values so also see what is sound of a file
 * that is not.
 */
import { flatten, type Issue, isMissing, remember, word } from './mistake.ts';
import { type Path, type Problem, pathKey, valueAt } from './problem.ts';
import { type Config, config } from './schema.ts';

/** What is sound of a file, and what is wrong with it. */
export interface Validated {
  /** The configuration without the parts that are wrong; undefined if nothing is left to be said. */
  readonly config: Config | undefined;
  readonly problems: readonly Problem[];
}

/** What stands for a top-level key that is missing or was taken out. */
const skeleton = { version: 1, database: { url: 'postgres://' }, entities: {}, targets: {} } as const;

const rounds = 50;

/**
 * `value` is the file's value with the environment put in, `written` before that, `filled` the places that came from the
 * environment: there, the text of a number is a number where one is expected.
 */
export function validate(value: unknown, written: unknown, filled: ReadonlySet<string>): Validated {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { config: undefined, problems: word(issuesOf(value), written) };
  }
  const problems: Problem[] = [];
  const removed: Path[] = [];
  let rest: unknown = value;
  for (let round = 0; round < rounds; round++) {
    const result = config.safeParse(rest, { error: remember });
    if (result.success) return { config: result.data, problems };
    const issues = flatten(result.error.issues, rest);
    const readable = issues.filter((issue) => isReadable(issue, rest, filled));
    if (readable.length > 0) {
      rest = readable.reduce(
        (before: unknown, issue) => put(before, path(issue), read(valueAt(before, path(issue)))),
        rest,
      );
      continue;
    }
    problems.push(
      ...word(
        issues.filter((issue) => !isConsequence(issue, removed)),
        written,
      ),
    );
    const parts = issues.flatMap((issue) => toRemove(issue, rest));
    removed.push(...parts.map((part) => part.path));
    rest = { ...skeleton, ...asRecord(parts.reduce((before, part) => put(before, part.path, part.substitute), rest)) };
  }
  return { config: undefined, problems };
}

function issuesOf(value: unknown): Issue[] {
  const result = config.safeParse(value, { error: remember });
  return result.success ? [] : flatten(result.error.issues, value);
}

/** Whether an issue is only that the environment's text stands where a number or true or false is expected. */
function isReadable(issue: Issue, value: unknown, filled: ReadonlySet<string>): boolean {
  if (issue.code !== 'invalid_type' || !filled.has(pathKey(path(issue)))) return false;
  const readAs = typeof read(valueAt(value, path(issue)));
  return readAs === 'number'
    ? ['number', 'int'].includes(issue.expected)
    : readAs === issue.expected && readAs === 'boolean';
}

function read(text: unknown): unknown {
  if (text === 'true' || text === 'false') return text === 'true';
  return typeof text === 'string' && /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
}

/** Whether an issue is about what an earlier round took out, or something around or inside it: that has been told. */
function isConsequence(issue: Issue, removed: readonly Path[]): boolean {
  const here = path(issue);
  return removed.some((gone) => here.slice(0, gone.length).every((step, index) => step === gone[index]));
}

/**
 * The parts that an issue condemns. In place of what is missing goes something of its kind, if possible, else what misses
 * it goes too. Of a list goes the whole: taking out one item would move the others.
 */
function toRemove(issue: Issue, value: unknown): { path: Path; substitute?: unknown }[] {
  const here = path(issue);
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => ({ path: upToList([...here, key]) }));
  if (!isMissing(issue, value)) return [{ path: upToList(here) }];
  const substitute = issue.code === 'invalid_type' ? substitutes[issue.expected] : undefined;
  const whole = substitute === undefined && here.length > 1;
  return [{ path: upToList(whole ? here.slice(0, -1) : here), substitute }];
}

const substitutes: Readonly<Record<string, unknown>> = { string: '-', object: {}, record: {} };

function upToList(path: Path): Path {
  const list = path.findIndex((step) => typeof step === 'number');
  return list === -1 ? path : path.slice(0, list);
}

function path(issue: Issue): Path {
  return issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step));
}

function asRecord(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : {};
}

/** A copy of a value with another value at a path; undefined takes it out. */
function put(value: unknown, [step, ...below]: Path, replacement: unknown): unknown {
  if (step === undefined) return replacement;
  if (typeof value !== 'object' || value === null) return value;
  const inner = put(valueAt(value, [step]), below, replacement);
  if (Array.isArray(value)) return value.map((item, index) => (index === step ? inner : item));
  const pairs = Object.entries({ ...value, [step]: inner });
  return Object.fromEntries(pairs.filter(([, item]) => item !== undefined));
}
