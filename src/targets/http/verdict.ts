/** What an answer means: its status, or the fault in it, as the operation says or as is usual. */
import type { Meaning } from '../../config/http-operation.ts';
import type { Json } from '../document.ts';
import type { TargetError, TargetErrorKind } from '../target.ts';
import type { WebAnswer } from '../web/answer.ts';
import { failure, kindOfStatus } from '../web/failure.ts';
import { contentOf } from './content.ts';
import { at } from './pointer.ts';

/** Status, or code or text of a fault, → what it means. */
export type Meanings = Readonly<Record<string, Meaning>>;

/** What a status means: as written for it, for its class (4xx), or as usual. */
export function meaningOf(status: string, meanings: Meanings): Meaning | TargetErrorKind | undefined {
  const written = meanings[status] ?? meanings[status.replace(/^(\d)\d\d$/, '$1xx')];
  if (written !== undefined) return written;
  return /^\d{3}$/.test(status) ? (kindOfStatus(Number(status)) ?? 'done') : undefined;
}

/** The failure that an answer is; undefined: it is none. `what`: what was being done. */
export function failureOf(
  answer: WebAnswer,
  what: string,
  status: Meanings,
  faults: Meanings,
): TargetError | undefined {
  const written = status[String(answer.status)];
  const fault = faultIn(answer);
  if (fault !== undefined && written === undefined) return faulty(fault, answer, what, faults);
  const meaning = meaningOf(String(answer.status), status);
  if (meaning === 'done') return undefined;
  return failure(answer, what, meaning);
}

interface Fault {
  readonly code: string;
  readonly text: string;
}

/** The fault of SOAP 1.1 (§4.4) or 1.2 (§5.4) in an answer, whatever its status. */
function faultIn(answer: WebAnswer): Fault | undefined {
  if (!answer.body.includes('Fault')) return undefined;
  const content = contentOf(answer);
  const fault = at(content, '/Envelope/Body/Fault');
  if (fault === undefined) return undefined;
  const code = textAt(fault, '/Code/Subcode/Value') || textAt(fault, '/faultcode') || textAt(fault, '/Code/Value');
  return { code: code.replace(/^.*:/, ''), text: textAt(fault, '/faultstring') || textAt(fault, '/Reason/Text') };
}

function faulty({ code, text }: Fault, answer: WebAnswer, what: string, faults: Meanings): TargetError | undefined {
  const whole = { ...answer, excerpt: answer.shown(`${code}: ${text}`) };
  const [, written] =
    Object.entries(faults).find(([name]) => name === code || code.startsWith(`${name}.`)) ??
    Object.entries(faults).find(([name]) => text.toLowerCase().includes(name.toLowerCase())) ??
    [];
  if (written === 'done') return undefined;
  // A server that failed at one entry may be well: what it failed at is tried again, but the others are not kept waiting.
  return failure(whole, what, written ?? (/^(Server|Receiver)\b/.test(code) ? 'unknown' : 'rejected'));
}

/** The text at a pointer, also of an element with attributes. */
function textAt(document: Json, pointer: string): string {
  const value = at(document, pointer);
  const text = typeof value === 'object' ? at(value ?? undefined, '/#text') : value;
  return text === undefined || text === null ? '' : String(text);
}
