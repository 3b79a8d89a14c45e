/** What staffetta.yml says of a web service, whatever is said over it: shared by the `http` and `scim` targets. */
import { z } from 'zod';
import { positiveDuration } from './duration.ts';
import { secret } from './given-secret.ts';
import { tls } from './tls.ts';

const webUrl = (login: boolean) =>
  z.string().refine(
    (text) => {
      const url = URL.parse(text);
      if (url === null || !['http:', 'https:'].includes(url.protocol) || url.hash !== '') return false;
      return login || url.username + url.password === '';
    },
    {
      error: login
        ? 'expected http:// or https:// with a host'
        : 'expected http:// or https:// with a host, and no login',
    },
  );

const auth = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('basic').describe('A name and a password with every request (RFC 7617)'),
    user: z.string().describe('The name to log in as'),
    password: secret.describe('Its password, or { file } that holds it'),
  }),
  z.strictObject({
    type: z.literal('bearer').describe('A token with every request (RFC 6750)'),
    token: secret.describe('The token, or { file } that holds it; the file is read again when it is refused'),
  }),
  z.strictObject({
    type: z.literal('oauth2').describe('A token that is fetched with client credentials (RFC 6749 §4.4)'),
    tokenUrl: webUrl(false).describe('Where tokens are given out'),
    clientId: z.string().describe('Who we are there'),
    clientSecret: secret.describe('The secret of the client, or { file } that holds it'),
    scope: z.string().optional().describe('What is asked for, separated by spaces'),
    audience: z.string().optional().describe('Whom the token is for, where the service asks for it'),
    credentials: z
      .enum(['header', 'body'])
      .default('header')
      .describe('Where the client and its secret stand: in the Authorization header or in the body of the request'),
  }),
  z.strictObject({
    type: z.literal('hmac').describe('Every request is signed: the headers of Standard Webhooks, HMAC-SHA256'),
    secret: secret.describe('whsec_ and the base64 of the key, or a text whose bytes are the key; or { file }'),
  }),
]);

const rateError = 'expected a number of requests and a time, such as 10/s, 600/m or 5000/h';
const rate = z.string({ error: rateError }).transform((text, context) => {
  const [, count, unit] = /^([1-9]\d{0,6})\/(s|m|h)$/.exec(text) ?? [];
  if (count !== undefined && unit !== undefined)
    return { count: Number(count), within: positiveDuration.parse(`1${unit}`) };
  context.addIssue({ code: 'custom', message: rateError });
  return z.NEVER;
});

/** The keys of a target that is reached over the web. */
export const web = {
  url: webUrl(false).describe('Where the service is; what operations call `path` begins there'),
  tls: tls.optional().describe('Whom to trust on encrypted connections, and who we are. Default: as Node.js trusts'),
  auth: auth.optional().describe('How we say who we are. Left out: not at all, or by a client certificate'),
  headers: z
    .record(z.string(), secret)
    .default({})
    .describe('Headers of every request: name → value, or { file } that holds it'),
  proxy: z
    .union([z.literal('environment'), webUrl(true)])
    .optional()
    .describe('URL of a proxy, or `environment`: as HTTP_PROXY, HTTPS_PROXY and NO_PROXY say. Left out: none'),
  maxAnswer: z
    .int()
    .min(1024)
    .default(16_777_216)
    .describe('The longest answer that is read, in bytes; a longer one is a failure'),
  rate: rate
    .optional()
    .describe('The most requests in a time, per daemon and server: 10/s, 600/m, 5000/h. Left out: any number'),
  privateAddresses: z
    .enum(['allow', 'refuse'])
    .default('allow')
    .describe('refuse: connect to public addresses only, whatever names resolve to'),
};

type Keys = Readonly<z.output<z.ZodObject<typeof web>>>;

/** How a service is reached. */
export interface WebConfig extends Keys {
  /** Milliseconds that an operation may take. */
  readonly timeout: number;
  readonly slots: number;
  readonly concurrency: number;
}

export type Auth = z.output<typeof auth>;
export type Rate = z.output<typeof rate>;
