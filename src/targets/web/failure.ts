/** What an answer of a web service means where it is no success. */
import { TargetError, type TargetErrorKind } from '../target.ts';
import type { WebAnswer } from './answer.ts';

/** The longest pause that a service may ask for, in seconds: a day. */
const longestPause = 86_400;

const kinds: ReadonlyMap<number, TargetErrorKind> = new Map([
  [401, 'misconfigured'],
  [403, 'misconfigured'],
  [404, 'gone'],
  [407, 'misconfigured'],
  [408, 'unavailable'],
  [409, 'exists'],
  [410, 'gone'],
  [412, 'converged'],
  [425, 'unavailable'],
  [429, 'unavailable'],
  [501, 'misconfigured'],
]);

/** What a status means, unless the operation says otherwise; undefined: done (2xx). */
export function kindOfStatus(status: number): TargetErrorKind | undefined {
  if (status >= 200 && status < 300) return undefined;
  const known = kinds.get(status);
  if (known !== undefined) return known;
  if (status >= 500) return 'unavailable';
  return status >= 400 ? 'rejected' : 'misconfigured'; // a redirect is never followed
}

/** The failure that an answer amounts to. `what`: what was being done. `kind`: what the operation says that it means. */
export function failure(answer: WebAnswer, what: string, kind?: TargetErrorKind): TargetError {
  const { status, asked, excerpt } = answer;
  const meant = kind ?? kindOfStatus(status) ?? 'unknown';
  const to = answer.headers.get('location');
  const isRedirect = status >= 300 && status < 400 && to !== undefined;
  const pointed = isRedirect ? `, a redirect to ${withoutQuery(to)}: redirects are not followed, correct the URL` : '';
  const said = excerpt === '' ? '' : `: ${excerpt}`;
  const retryAfter = meant === 'unavailable' ? retryAfterOf(answer) : undefined;
  return new TargetError(meant, `${what}: ${asked} was answered ${status}${pointed}${said}`, {
    unsure: answer.wrote && mayBeDone(status) && ['unavailable', 'unknown'].includes(meant),
    data: { status, ...(excerpt === '' ? {} : { answer: excerpt }) },
    ...(retryAfter === undefined ? {} : { retryAfter }),
  });
}

/** Whether what a service failed at may have taken effect: it, or what stands before it, broke down on the way. */
function mayBeDone(status: number): boolean {
  return status < 300 || status === 408 || (status >= 500 && status !== 501);
}

/** The seconds after which the service said to come again (RFC 9110 §10.2.3); undefined where it said nothing. */
export function retryAfterOf({ headers }: Pick<WebAnswer, 'headers'>): number | undefined {
  const text = headers.get('retry-after')?.trim() ?? '';
  const seconds = /^\d+$/.test(text) ? Number(text) : (Date.parse(text) - Date.now()) / 1000;
  return Number.isNaN(seconds) ? undefined : Math.min(Math.max(seconds, 0), longestPause);
}

/** What follows may be a secret. */
function withoutQuery(url: string): string {
  return url.replace(/[?#].*$/s, '');
}
