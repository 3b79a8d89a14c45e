import { z } from 'zod';

/** What names of entities and targets look like: they become part of SQL names, so they are short and plain. */
export const namePattern = /^[a-z][a-z0-9]{0,19}$/;

export const name = z.string();

/** Things by their names; `check.ts` looks at the names, so that what a bad one holds is validated all the same. */
export const named = <T extends z.ZodType>(value: T) =>
  z.record(name, value).meta({ propertyNames: { pattern: namePattern.source } });
