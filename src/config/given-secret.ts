import { z } from 'zod';
import { HiddenSecret, type Secret } from './secret.ts';

// A bind with a name but no password is an anonymous one that succeeds (RFC 4513, 5.1.2).
const emptySecret = 'expected a password that is not empty';

/** A value given in the file (usually through `${ENV}`), or read from a file such as a mounted secret. */
export const secret = z
  .union([
    z.string().min(1, { error: emptySecret }),
    z.strictObject({ file: z.string().describe("File that holds it; relative to this file's folder") }),
  ])
  .transform((given): Secret => new HiddenSecret(given));
