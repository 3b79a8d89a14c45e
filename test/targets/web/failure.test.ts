import { describe, expect, test } from 'vitest';
import type { WebAnswer } from '../../../src/targets/web/answer.ts';
import { failure, kindOfStatus, retryAfterOf } from '../../../src/targets/web/failure.ts';

const answer = (status: number, given: Partial<WebAnswer> = {}): WebAnswer => ({
  status,
  headers: new Map(),
  body: '',
  excerpt: '',
  shown: (text) => text,
  url: 'https://api.example.org/users',
  asked: 'POST https://api.example.org/users',
  wrote: true,
  ...given,
});

test.each([
  [200, undefined],
  [204, undefined],
  [302, 'misconfigured'],
  [400, 'rejected'],
  [401, 'misconfigured'],
  [403, 'misconfigured'],
  [404, 'gone'],
  [408, 'unavailable'],
  [409, 'exists'],
  [410, 'gone'],
  [412, 'converged'],
  [413, 'rejected'],
  [422, 'rejected'],
  [425, 'unavailable'],
  [429, 'unavailable'],
  [500, 'unavailable'],
  [501, 'misconfigured'],
  [503, 'unavailable'],
])('%i is %s', (status, kind) => {
  expect(kindOfStatus(status)).toBe(kind);
});

describe('a failure', () => {
  test('says what was done, where, and what the service said', () => {
    const { message, data } = failure(answer(422, { excerpt: 'mail is not valid' }), 'create anna');
    expect(message).toBe('create anna: POST https://api.example.org/users was answered 422: mail is not valid');
    expect(data).toEqual({ status: 422, answer: 'mail is not valid' });
  });

  test('says where a redirect pointed to, without what may be a secret in it', () => {
    const headers = new Map([['location', 'https://login.example.org/?token=abc']]);
    const { kind, message } = failure(answer(302, { headers }), 'create anna');
    expect([kind, message]).toEqual(['misconfigured', expect.stringContaining('https://login.example.org/:')]);
    expect(message).not.toContain('abc');
  });

  test('is unsure where a write may have been done', () => {
    expect(failure(answer(500), 'x').unsure).toBe(true);
    expect(failure(answer(408), 'x').unsure).toBe(true);
    expect(failure(answer(500, { wrote: false }), 'x').unsure).toBe(false);
    expect(failure(answer(429), 'x').unsure).toBe(false);
    expect(failure(answer(500), 'x', 'rejected')).toMatchObject({ kind: 'rejected', unsure: false });
  });
});

describe('when to come again', () => {
  const retryAfter = (text: string) => retryAfterOf({ headers: new Map([['retry-after', text]]) });

  test('in seconds', () => expect(retryAfter('120')).toBe(120));

  test('at a moment', () => {
    const seconds = retryAfter(new Date(Date.now() + 60_000).toUTCString()) ?? 0;
    expect(seconds).toBeGreaterThan(57);
    expect(seconds).toBeLessThanOrEqual(60);
  });

  test('now, where the moment is over', () => expect(retryAfter('Wed, 21 Oct 2015 07:28:00 GMT')).toBe(0));
  test('within a day at most', () => expect(retryAfter('999999999')).toBe(86_400));
  test('whenever, where it makes no sense', () => expect(retryAfter('soon')).toBeUndefined());

  test('is told with the failure', () => {
    const headers = new Map([['retry-after', '7']]);
    expect(failure(answer(429, { headers }), 'x').retryAfter).toBe(7);
    expect(failure(answer(422, { headers }), 'x').retryAfter).toBeUndefined();
  });
});
