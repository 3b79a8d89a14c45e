/**
 * What a program's output means. Its result is the last JSON object that it printed, `{status, message, data}`, whatever
 * stands around it; standard output is looked at before standard error, where a stack trace may stand.
 */
import { z } from 'zod';
import type { Exit } from '../../programs/exit.ts';
import { lastObject, mask, oneLine, parseObject, storable, told } from '../../programs/output.ts';
import type { Data, TargetErrorKind } from '../target.ts';

const said = z.object({
  status: z.number(),
  message: z.string().default(''),
  data: z.record(z.string(), z.unknown()).optional(),
});
type Said = z.output<typeof said>;

/** What came of one call. */
export interface Result {
  /** 0: it is done. Else the exit code, or the status that it printed; -1 where it has neither. */
  readonly status: number;
  /** One line for people, secrets masked. */
  readonly message: string;
  readonly data?: Data;
  /** Undefined: it is done. */
  readonly kind?: TargetErrorKind;
  /** Whether anything may have been done. */
  readonly unsure: boolean;
}

/** What Sesame's exit codes mean: 4 connection, 8 login, 16 credentials, 32 JSON; 126 and 127 are those of a shell. */
const kinds: ReadonlyMap<number, TargetErrorKind> = new Map([
  [4, 'unavailable'],
  [8, 'misconfigured'],
  [16, 'misconfigured'],
  [32, 'rejected'],
  [126, 'misconfigured'],
  [127, 'misconfigured'],
]);

/** Longer data is not handed on, in characters. */
const mostData = 65_536;

/** Judges how a call ended; `secrets` are put out of sight. */
export function resultOf(exit: Exit, secrets: readonly string[]): Result {
  const hide = (text: string) => mask(text, secrets);
  const failed = (kind: TargetErrorKind, message: string, status = -1, unsure = true): Result => ({
    status,
    message: oneLine(hide(message)),
    kind,
    unsure,
  });
  switch (exit.why) {
    case 'not started':
      return failed('misconfigured', `could not be started: ${exit.reason}`, -1, false);
    case 'not reached':
      return failed('unavailable', 'its turn did not come within the time limit', -1, false);
    case 'too slow':
      return failed('unavailable', 'did not end within the time limit, and was killed');
    case 'too much output':
      return failed('unknown', 'printed more than it may (maxOutput), and was killed');
  }
  if (exit.code === null) return failed('unknown', told(`was killed by ${exit.signal}`, exit));
  const found = lastResult(exit.stdout) ?? lastResult(exit.stderr);
  if (!found) {
    const how = exit.code === 0 ? `ended well, but printed ${noResult}` : `ended with ${exit.code}`;
    return failed(kinds.get(exit.code) ?? 'unknown', told(how, exit), exit.code || -1);
  }
  const status = exit.code || found.status;
  const data = found.data && JSON.stringify(found.data).length <= mostData && { data: maskAll(found.data, hide) };
  if (status === 0) return { status, message: oneLine(hide(found.message)), ...data, unsure: false };
  const words = found.message || told(`answered status ${status}`, exit);
  return { ...failed(kinds.get(status) ?? 'unknown', words, status), ...data };
}

const noResult = 'no result such as {"status": 0, "message": "done"}';

/** Whether a line is a result, and not a line of a log. */
export function isResult(line: string): boolean {
  return line.trimStart().startsWith('{') && parse(line) !== undefined;
}

/** The last JSON object of a text; undefined where that is no result. */
function lastResult(text: string): Said | undefined {
  const object = lastObject(text);
  return object && parse(object);
}

function parse(given: string | object): Said | undefined {
  return said.safeParse(typeof given === 'string' ? parseObject(given) : given).data;
}

/** A copy of data with every text in it masked, names included. */
function maskAll(data: Data, hide: (text: string) => string): Data {
  const copy = (value: unknown): unknown => {
    if (typeof value === 'string') return storable(hide(value));
    if (Array.isArray(value)) return value.map(copy);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [storable(hide(name)), copy(inner)]));
  };
  return Object.fromEntries(Object.entries(data).map(([name, value]) => [storable(hide(name)), copy(value)]));
}
