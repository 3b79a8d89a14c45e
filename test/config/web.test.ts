import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { web } from '../../src/config/web.ts';
import { checkWebService } from '../../src/config/web-service.ts';

const schema = z.strictObject(web);
const numbers = { timeout: 10_000, slots: 2, concurrency: 8 };
const https = 'https://api.example.org/v2';
const basic = { type: 'basic', user: 'us', password: 'x' } as const;

function findings(given: z.input<typeof schema>) {
  const { problems, warnings } = checkWebService({ ...schema.parse(given), ...numbers }, ['targets', 'x']);
  const keys = (found: typeof problems) => found.map(({ path }) => path.slice(2).join('.'));
  return { problems: keys(problems), warnings: keys(warnings) };
}

test('a rate is read as a number of requests within milliseconds', () => {
  expect(schema.parse({ url: https, rate: '600/m' }).rate).toEqual({ count: 600, within: 60_000 });
});

test.each([
  { url: 'ldap://x' },
  { url: 'api.example.org' },
  { url: https, rate: '10' },
  { url: https, rate: '0/s' },
  { url: https, auth: { type: 'basic', user: 'us' } },
  { url: https, maxAnswer: 10 },
])('%o is refused', (given) => {
  expect(schema.safeParse(given).success).toBe(false);
});

describe('how a service is reached', () => {
  test('may be as simple as its URL', () => {
    expect(findings({ url: https })).toEqual({ problems: [], warnings: [] });
    expect(findings({ url: 'http://localhost:8080', auth: basic })).toEqual({ problems: [], warnings: [] });
  });

  test('is unwise where a password travels openly', () => {
    expect(findings({ url: 'http://api.example.org', auth: basic }).warnings).toEqual(['url']);
    const auth = { type: 'oauth2', tokenUrl: 'http://id.example.org', clientId: 'us', clientSecret: 'x' } as const;
    expect(findings({ url: https, auth }).warnings).toEqual(['auth.tokenUrl']);
  });

  test('is unwise where the pace leaves no time for all', () => {
    expect(findings({ url: https, rate: '1/s' }).warnings).toEqual(['rate']);
    expect(findings({ url: https, rate: '2/s' }).warnings).toEqual([]);
  });

  test('is wrong where half of a key pair is missing, or a proxy resolves what is to be refused', () => {
    expect(findings({ url: https, tls: { cert: 'x.pem' } }).problems).toEqual(['tls.cert']);
    expect(findings({ url: https, privateAddresses: 'refuse', proxy: 'environment' }).problems).toEqual([
      'privateAddresses',
    ]);
  });
});
