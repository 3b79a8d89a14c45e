/** What is said between a daemon and the thread in which an ES module runs. */
import { z } from 'zod';

const options = z.object({
  base: z.string().optional(),
  scope: z.enum(['base', 'sub']).optional(),
  attributes: z.array(z.string()).optional(),
  limit: z.int().positive().optional(),
});

/** What a module may search for. */
export const filter = z.union([z.string(), z.record(z.string(), z.string())]);

/** From the thread. */
export const fromThread = z.discriminatedUnion('say', [
  z.object({ say: z.literal('ready'), functions: z.array(z.string()) }),
  z.object({ say: z.literal('broken'), message: z.string() }),
  /** `json`: undefined where the function returned nothing. */
  z.object({ say: z.literal('answer'), id: z.number(), json: z.string().optional() }),
  z.object({ say: z.literal('threw'), id: z.number(), message: z.string() }),
  z.object({ say: z.literal('search'), id: z.number(), search: z.number(), filter, options }),
  /** It heard that a call was given up. */
  z.object({ say: z.literal('alive'), id: z.number() }),
]);

/** To the thread. */
export const toThread = z.discriminatedUnion('say', [
  z.object({ say: z.literal('call'), id: z.number(), name: z.string(), json: z.string() }),
  z.object({ say: z.literal('abort'), id: z.number() }),
  z.object({ say: z.literal('found'), search: z.number(), json: z.string() }),
  z.object({ say: z.literal('not found'), search: z.number(), message: z.string() }),
]);

export type FromThread = z.output<typeof fromThread>;
export type ToThread = z.output<typeof toThread>;
