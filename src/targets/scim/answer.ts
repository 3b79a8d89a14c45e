/** What a service answers, and what that means where it is no success (RFC 7644 §3.12). */
import type { Document } from '../document.ts';
import { TargetError, type TargetErrorKind } from '../target.ts';
import type { WebAnswer } from '../web/answer.ts';
import { failure, kindOfStatus } from '../web/failure.ts';
import { parseDocument, textIn } from './json.ts';

export interface Answer {
  readonly status: number;
  /** The body; undefined where it is no JSON object. */
  readonly document: Document | undefined;
  /** The version that a resource has (RFC 7644 §3.14). */
  readonly etag: string | undefined;
  /** Where the resource is. */
  readonly location: string | undefined;
  readonly web: WebAnswer;
}

export function answerOf(web: WebAnswer): Answer {
  const { status, headers, body } = web;
  return { status, document: parseDocument(body), etag: headers.get('etag'), location: headers.get('location'), web };
}

export function isSuccess({ status }: Answer): boolean {
  return status >= 200 && status < 300;
}

/** The keyword of an error: `uniqueness`, `noTarget`; many services leave it out. */
export function scimTypeOf({ document }: Answer): string | undefined {
  return document && textIn(document, 'scimType');
}

/** The failure of a request that was about one resource. */
export function refusal(answer: Answer, what: string, kind: TargetErrorKind = kindOf(answer)): TargetError {
  const detail = detailOf(answer);
  const excerpt = detail === undefined ? answer.web.excerpt : answer.web.shown(detail);
  return failure({ ...answer.web, excerpt }, what, kind);
}

/** The failure of a question that is not about one resource: it can only be asked wrongly, or at the wrong place. */
export function misdirected(answer: Answer, what: string): TargetError {
  const kind = kindOf(answer);
  return refusal(answer, what, kind === 'unavailable' ? kind : 'misconfigured');
}

/** A success whose body is not what it should be. */
export function unreadable({ web }: Answer, what: string, expected: string): TargetError {
  const said = web.excerpt === '' ? 'nothing' : web.excerpt;
  const message = `${what}: ${web.asked} was answered ${web.status} with what is no ${expected}: ${said}. Check \`url:\``;
  return new TargetError('misconfigured', message, { unsure: web.wrote });
}

/** Who may not do something may be allowed everything else; a name that is taken may come as any refusal. */
function kindOf(answer: Answer): TargetErrorKind {
  if (scimTypeOf(answer)?.toLowerCase() === 'uniqueness') return 'exists';
  if (answer.status === 403) return 'one-sided';
  return kindOfStatus(answer.status) ?? 'unknown';
}

/** What an error message says; undefined where it is none. */
function detailOf({ document }: Answer): string | undefined {
  if (document === undefined) return undefined;
  const words = [textIn(document, 'detail'), textIn(document, 'scimType')].filter((word) => word !== undefined);
  return words.length === 0 ? undefined : words.join(', ');
}
