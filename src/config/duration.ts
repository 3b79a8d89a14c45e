import { z } from 'zod';

const unit = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

const error = 'expected a length of time such as 30s, 5m or 90d (ms, s, m, h, d or w), or 0';

/** A length of time such as `10s` or `90d` (ms, s, m, h, d, w), or 0; read into milliseconds. */
export const duration = z.union([z.literal(0), z.string()], { error }).transform((text, context) => {
  if (text === 0 || text === '0') return 0;
  const [, number, name] = /^(\d+)\s*(ms|s|m|h|d|w)$/.exec(text) ?? [];
  const factor = Object.entries(unit).find(([key]) => key === name)?.[1];
  if (number === undefined || factor === undefined) {
    context.addIssue({ code: 'custom', message: error });
    return z.NEVER;
  }
  return Number(number) * factor;
});

/** A length of time that is not 0. */
export const positiveDuration = duration.refine((length) => length > 0, {
  error: 'expected a length of time above 0, such as 10s',
});
