/** What the methods of a module may answer. */
import { z } from 'zod';
import { storable } from '../../programs/output.ts';
import type { Applied, Data, Health, RemoteState } from '../target.ts';

/** What is stored of an entry: PostgreSQL takes no NUL. */
const id = z.string().regex(/^[^\0]+$/);
const remoteId = id;
const stableId = id.optional();
const value = z.union([z.string(), z.strictObject({ base64: z.base64() })]);

/** Attributes; without those that have no values. */
const attributes = z
  .record(z.string(), z.array(value))
  .transform((given) => Object.fromEntries(Object.entries(given).filter(([, values]) => values.length > 0)));

const state = z.object({ remoteId, stableId, attributes, createdByUs: z.boolean().optional() }).transform(
  ({ remoteId, attributes, stableId, createdByUs }): RemoteState => ({
    remoteId,
    attributes,
    ...(stableId === undefined ? {} : { stableId }),
    ...(createdByUs === undefined ? {} : { createdByUs }),
  }),
);

const applied = z
  .object({ remoteId, stableId, data: z.record(z.string(), z.json()).transform(clean).optional() })
  .transform(
    ({ remoteId, stableId, data }): Applied => ({
      remoteId,
      ...(stableId === undefined ? {} : { stableId }),
      ...(data === undefined ? {} : { data }),
    }),
  );

const health = z.object({ summary: z.string().min(1), identity: z.string().min(1) });

/** Each throws an Error that says what was expected. */
export const answers = {
  health: reader(health, '{ summary, identity }, two texts') satisfies (answer: unknown) => Health,
  applied: reader(applied, '{ remoteId, stableId?, data? }'),
  state: reader(state, '{ remoteId, attributes, stableId?, createdByUs? }, each attribute an array of values'),
  stateIfAny: reader(state.optional(), '{ remoteId, attributes, stableId?, createdByUs? } or undefined'),
  found: reader(z.map(z.string(), z.array(state)), 'a Map of keys to arrays of { remoteId, attributes, stableId? }'),
  text: reader(z.string(), 'a text'),
  texts: reader(z.array(z.string()), 'an array of texts'),
  states: reader(z.array(state), 'an array of { remoteId, attributes, stableId? }'),
  truth: reader(z.boolean(), 'true or false'),
  nothing: () => undefined,
};

/** A copy without what PostgreSQL takes in no text. */
function clean(data: Readonly<Record<string, z.core.util.JSONType>>): Data {
  const copy = (value: z.core.util.JSONType): z.core.util.JSONType => {
    if (typeof value === 'string') return storable(value);
    if (Array.isArray(value)) return value.map(copy);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [storable(name), copy(inner)]));
  };
  return Object.fromEntries(Object.entries(data).map(([name, value]) => [storable(name), copy(value)]));
}

function reader<T>(schema: z.ZodType<T>, expected: string): (answer: unknown) => T {
  return (answer) => {
    const result = schema.safeParse(answer);
    if (result.success) return result.data;
    const [issue] = result.error.issues;
    const where =
      issue === undefined || issue.path.length === 0 ? '' : `${issue.path.map(String).join('.')} is not right; `;
    throw new Error(`${where}expected ${expected}`);
  };
}
