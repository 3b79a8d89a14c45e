/** What a module answered, in whatever language it is written. */
import { z } from 'zod';
import { HookError, type Said } from './hook.ts';

const answer = z.object({
  code: z.int32(),
  msg: z.string().default(''),
  panic: z
    .union([z.boolean(), z.number()])
    .default(false)
    .transform((given) => given === true || (typeof given === 'number' && given !== 0)),
});

/** The code of a module that failed: of AOSI's form, with the number of none of its modules. */
export const failedCode = -10_000;

/** Throws `HookError` for anything but `{code, msg, panic}`. */
export function readAnswer(given: unknown): Said {
  const read = answer.safeParse(given);
  if (read.success) return read.data;
  throw new HookError('answered nonsense: expected an answer such as {"code": 0, "msg": "done", "panic": false}');
}

/** Whether a text is an answer. */
export function isAnswer(given: unknown): boolean {
  return answer.safeParse(given).success;
}

/** What is wrong with a code that no module of AOSI's would give; undefined where nothing is. */
export function warningOf(code: number): string | undefined {
  return code === 0 || (code <= -10_000 && code > -11_000)
    ? undefined
    : `the code ${code} is neither 0 nor of AOSI's form -10XYY`;
}
