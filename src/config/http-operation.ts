/** What staffetta.yml says of an operation of an `http` target: what is sent, and what the answer means. */
import { z } from 'zod';

const kinds = [
  'gone',
  'converged',
  'exists',
  'unavailable',
  'misconfigured',
  'dependency',
  'rejected',
  'one-sided',
  'unknown',
] as const;

/** What a status, a fault or the result of an item means. */
const meaning = z
  .enum(['done', ...kinds])
  .describe('done, gone, converged, exists, unavailable, misconfigured, dependency, rejected, one-sided or unknown');
export const meanings = z.record(z.string(), meaning);

/** Where something stands in an answer: a JSON pointer, or the last part of the path in a header. */
export const locator = z.union([
  z.string().describe('JSON pointer (RFC 6901) into the answer, such as /id; of XML, /Envelope/Body/addResponse/id'),
  z.strictObject({ header: z.string().describe('Name of a header; of a URL in it, the last part of its path') }),
]);

type Structure = string | number | boolean | null | Structure[] | { [key: string]: Structure };
const structure: z.ZodType<Structure, Structure> = z.json();

const texts = z.record(z.string(), z.string());

const request = {
  method: z
    .string()
    .regex(/^[A-Z]+$/, { error: 'expected a method such as POST, PUT, PATCH or DELETE' })
    .optional()
    .describe('Default: as usual for the operation'),
  path: z.string().default('').describe('Where, below `url`; what {placeholders} stand for is encoded'),
  query: texts.default({}).describe('Parameters of the URL: name → template'),
  headers: texts.default({}).describe('Headers of this operation: name → template'),
  contentType: z.string().optional().describe('What the body is. Default: as usual for its form'),
  status: meanings.default({}).describe('Status, such as 409 or 4xx, → what it means, where that is not the usual'),
};

const body = {
  json: structure
    .optional()
    .describe(
      'The body as JSON: `whole`, the document of all attributes; `merge`, what changed (RFC 7396); `patch`, the same as RFC 6902; or a structure with {placeholders}',
    ),
  form: texts.optional().describe('The body as a form: name → template; a list is a field for each value'),
  xml: z.string().optional().describe('The body as XML with {placeholders} in texts and attributes'),
};

/** A question, or a change that sends nothing but its URL unless it is said. */
export const operation = z.strictObject({ ...request, ...body });

/** A change of an entry. */
export const write = z.strictObject({
  ...request,
  ...body,
  batch: z
    .literal(true)
    .optional()
    .describe('It goes with others, as `batch:` of the entity says; only its body counts'),
  ifNoneMatch: z
    .literal(true)
    .optional()
    .describe('Only if there is none yet: If-None-Match: *, and 412 means that it exists (RFC 9110 §13.1.2)'),
  stableId: locator.optional().describe('Where the answer says what stable id the entry has'),
});

const size = z
  .strictObject({
    parameter: z.string().describe('The parameter that says how many are wanted'),
    value: z.int().min(1).describe('How many'),
  })
  .optional()
  .describe('How many entries are wanted on a page. Left out: as the service likes');

const pages = z
  .union([
    z.strictObject({
      number: z.string().describe('The parameter that says which page is wanted'),
      first: z.int().default(1).describe('What the first page is called'),
      size,
    }),
    z.strictObject({
      offset: z.string().describe('The parameter that says how many entries to leave out'),
      first: z.int().default(0).describe('What the first entry is called'),
      size,
    }),
    z.strictObject({
      cursor: z.string().describe('The parameter that the cursor goes back in'),
      next: z.string().describe('JSON pointer of the cursor of the next page; none on the last'),
    }),
    z.strictObject({
      link: z.literal('next').describe('The URL of the next page stands in the Link header (RFC 8288)'),
    }),
    z.strictObject({ url: z.string().describe('JSON pointer of the URL of the next page; none on the last') }),
  ])
  .describe('How an answer of several pages goes on. Left out: it is one');

export const reading = z.strictObject({
  ...request,
  ...body,
  item: z.string().default('').describe('JSON pointer of the entry in the answer. Default: the answer itself'),
});

export const listing = z.strictObject({
  ...request,
  ...body,
  items: z
    .string()
    .default('')
    .describe('JSON pointer of the list of entries in the answer. Default: the answer itself'),
  total: z.string().optional().describe('JSON pointer of the number of all entries: as many must have come'),
  pages: pages.optional(),
});

export const batch = z.strictObject({
  ...request,
  ...body,
  max: z.int().min(1).max(5000).default(100).describe('The most changes in one request'),
  results: z.string().default('').describe('JSON pointer of the list of results in the answer'),
  key: z
    .strictObject({
      sent: z.string().describe('JSON pointer into what was sent for a change'),
      answered: z.string().describe('JSON pointer into its result'),
    })
    .optional()
    .describe('How a result names its change. Left out: they come in the order of the changes'),
  result: z.string().describe('JSON pointer, in a result, of its status: a number, or a word that `status:` knows'),
  message: z.string().optional().describe('JSON pointer, in a result, of what is said about it'),
  stableId: z.string().optional().describe('JSON pointer, in a result, of the stable id of the entry'),
});

export type Meaning = z.output<typeof meaning>;
export type Locator = z.output<typeof locator>;
export type OperationConfig = z.output<typeof operation>;
export type WriteConfig = z.output<typeof write>;
export type ListingConfig = z.output<typeof listing>;
export type BatchConfig = z.output<typeof batch>;
export type PagesConfig = z.output<typeof pages>;
