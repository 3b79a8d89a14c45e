/** Who we say we are to a web service: the headers that go with each request. */
import { createHmac, randomUUID } from 'node:crypto';
import type { Auth } from '../../config/web.ts';
import type { Secrets } from './secrets.ts';
import { type Ask, Token } from './token.ts';

/** What is signed. */
export interface Message {
  readonly id: string | undefined;
  readonly body: string;
}

export interface Credentials {
  /** The headers that a request carries. Throws TargetError where they cannot be had. */
  headers(message: Message, signal: AbortSignal): Promise<Readonly<Record<string, string>>>;
  /** Takes note that these headers were refused; answers whether there may be better ones now. */
  refused(headers: Readonly<Record<string, string>>): boolean;
}

/** `ask`: how a token is fetched. */
export function createCredentials(auth: Auth | undefined, secrets: Secrets, ask: Ask): Credentials {
  switch (auth?.type) {
    case undefined:
      return { headers: async () => ({}), refused: () => false };
    case 'basic':
      return readAnew(() => {
        const login = Buffer.from(`${auth.user}:${secrets.read(auth.password)}`).toString('base64');
        return `Basic ${secrets.hide(login)}`;
      });
    case 'bearer':
      return readAnew(() => `Bearer ${secrets.read(auth.token)}`);
    case 'oauth2':
      return new Token(auth, secrets, ask);
    case 'hmac':
      return { headers: async (message) => signatureOf(message, secrets.read(auth.secret)), refused: () => false };
  }
}

/** An Authorization header that is read when it is first needed, and again when it is refused: its file may have changed. */
function readAnew(read: () => string): Credentials {
  let known: string | undefined;
  return {
    async headers() {
      known ??= read();
      return { authorization: known };
    },
    refused({ authorization }) {
      known = undefined;
      return read() !== authorization;
    },
  };
}

/**
 * The signature of a webhook as the specification Standard Webhooks has it: HMAC-SHA256 over its id, the time in seconds
 * and its body.
 */
function signatureOf({ id = `msg_${randomUUID()}`, body }: Message, secret: string): Record<string, string> {
  const key = secret.startsWith(keyMark) ? Buffer.from(secret.slice(keyMark.length), 'base64') : Buffer.from(secret);
  const timestamp = String(Math.floor(Date.now() / 1000));
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
}

const keyMark = 'whsec_';
