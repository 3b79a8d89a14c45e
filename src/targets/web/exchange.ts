/** One request and its answer over a connection, and what it means where there is none. */
import type { Dispatcher } from 'undici';
import { onAbort } from '../deadline.ts';
import { TargetError } from '../target.ts';
import { isSafe } from './answer.ts';

/** What goes out. */
export interface Sent {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

/** What came back. */
export interface Received {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/**
 * Sends a request and waits for the whole answer, whatever its status. Throws TargetError where there is none: `unsure`
 * if the request had been sent and was no mere question.
 */
export async function exchange(
  dispatcher: Dispatcher,
  { url, method, headers, body }: Sent,
  maxAnswer: number,
  signal: AbortSignal,
): Promise<Received> {
  const server = url.origin;
  if (signal.aborted) throw givenUp(server, false);
  const { promise, resolve, reject } = Promise.withResolvers<Received>();
  let controller: Dispatcher.DispatchController | undefined;
  const isUnsure = () => controller !== undefined && !isSafe(method);
  let status = 0;
  let received: ReadonlyMap<string, string> = new Map();
  const chunks: Buffer[] = [];
  let size = 0;
  const fail = (error: TargetError): void => {
    reject(error);
    controller?.abort(error);
  };
  const off = onAbort(signal, () => fail(givenUp(server, isUnsure())));
  const handler: Dispatcher.DispatchHandler = {
    onRequestStart(given) {
      // Nobody waits any longer: not a byte of it goes out.
      if (signal.aborted) given.abort(givenUp(server, false));
      else controller = given;
    },
    onResponseStart(_, code, fields) {
      status = code;
      received = new Map(
        Object.entries(fields).map(([name, value]) => [name.toLowerCase(), [value].flat().join(', ')]),
      );
    },
    onResponseData(_, chunk) {
      size += chunk.length;
      if (size > maxAnswer) fail(tooLong(server, maxAnswer, isUnsure()));
      else chunks.push(chunk);
    },
    onResponseEnd() {
      resolve({ status, headers: received, body: Buffer.concat(chunks).toString('utf8') });
    },
    onResponseError(_, error) {
      reject(broken(error, server, isUnsure()));
    },
  };
  try {
    const path = url.pathname + url.search;
    dispatcher.dispatch({ origin: url.origin, path, method, headers: { ...headers }, body: body ?? null }, handler);
    return await promise;
  } finally {
    off();
  }
}

/** The error that a connection died of. `unsure`: something may have been done. */
function broken(error: unknown, server: string, unsure: boolean): TargetError {
  if (error instanceof TargetError) return error;
  const causes = causesOf(error);
  const ours = causes.find((cause) => cause instanceof TargetError);
  if (ours !== undefined) return ours;
  const codes = causes.map(codeOf);
  const reason = causes.map(({ message }) => message).find((message) => message !== '') ?? codes[0] ?? 'unknown';
  if (codes.some(isCertificate)) {
    const message = `the TLS connection to ${server} cannot be trusted: ${reason}. Check tls.ca, tls.serverName, tls.cert and the server's certificate`;
    return new TargetError('misconfigured', message, { unsure, cause: error });
  }
  if (codes.includes('UND_ERR_INVALID_ARG'))
    return new TargetError('misconfigured', `nothing was sent to ${server}: ${reason}`, { cause: error });
  if (codes.includes('UND_ERR_PRX_CONN') || /^Proxy response \(40[37]\)/.test(reason))
    return new TargetError('misconfigured', `no connection to ${server} by way of the proxy: ${reason}`, {
      cause: error,
    });
  return new TargetError('unavailable', `no connection to ${server}: ${reason}`, { unsure, cause: error });
}

function givenUp(server: string, unsure: boolean): TargetError {
  const message = `the request to ${server} was given up before it was answered`;
  return new TargetError('unavailable', message, { unsure });
}

function tooLong(server: string, maxAnswer: number, unsure: boolean): TargetError {
  const message = `the answer of ${server} is longer than maxAnswer, ${maxAnswer} bytes; raise it, or ask for less`;
  return new TargetError('unknown', message, { unsure });
}

/** An error and what it was caused by, or consists of. */
function causesOf(error: unknown): Error[] {
  if (!(error instanceof Error)) return error === undefined ? [] : [new Error(String(error))];
  const inner: unknown[] = error instanceof AggregateError ? error.errors : [error.cause];
  return [error, ...inner.flatMap(causesOf)];
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** Node's codes for a certificate that does not verify, and OpenSSL's for two sides that cannot agree on TLS. */
function isCertificate(code: string): boolean {
  return /CERT|SELF_SIGNED|UNABLE_TO_|ISSUER|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE|^ERR_SSL|^EPROTO$|CRL_|PRX_TLS/.test(
    code,
  );
}
