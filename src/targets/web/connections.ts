/** The connections to a service: kept open between requests, as many as operations may be in flight. */
import { isIP } from 'node:net';
import { checkServerIdentity } from 'node:tls';
import { Agent, type buildConnector, type Dispatcher, EnvHttpProxyAgent, ProxyAgent } from 'undici';
import type { WebConfig } from '../../config/web.ts';
import { publicLookup } from './private-address.ts';
import type { Secrets } from './secrets.ts';

export class Connections {
  readonly #config: WebConfig;
  readonly #secrets: Secrets;
  #dispatcher: Dispatcher | undefined;

  constructor(config: WebConfig, secrets: Secrets) {
    this.#config = config;
    this.#secrets = secrets;
  }

  /** Throws `misconfigured` where a file of a certificate cannot be read. */
  get dispatcher(): Dispatcher {
    this.#dispatcher ??= this.#create();
    return this.#dispatcher;
  }

  /** Has certificates read again for what is asked from now on; what is under way is not disturbed. */
  renew(): void {
    const former = this.#dispatcher;
    this.#dispatcher = undefined;
    former?.close().catch(() => former.destroy());
  }

  async close(): Promise<void> {
    await this.#dispatcher?.destroy();
  }

  #create(): Dispatcher {
    const { proxy, slots, concurrency, timeout } = this.#config;
    const connect = this.#connect();
    const options = {
      connect,
      connections: slots * concurrency,
      allowH2: false, // one request per connection: what it died of, the others need not mind
      connectTimeout: timeout,
      // The operation has its own time limit.
      headersTimeout: 0,
      bodyTimeout: 0,
    };
    if (proxy === undefined) return new Agent(options);
    // Whom to trust is said of the service, not of the proxy.
    const through = { ...options, connect: { timeout }, requestTls: connect };
    return proxy === 'environment' ? new EnvHttpProxyAgent(through) : new ProxyAgent({ ...through, uri: proxy });
  }

  #connect(): buildConnector.BuildOptions {
    const { tls = {}, privateAddresses, timeout } = this.#config;
    const { ca, cert, key, serverName } = tls;
    return {
      timeout,
      ...(ca === undefined ? {} : { ca: this.#secrets.file(ca) }),
      ...(cert === undefined ? {} : { cert: this.#secrets.file(cert) }),
      ...(key === undefined ? {} : { key: this.#secrets.file(key) }),
      ...(serverName === undefined
        ? {}
        : {
            ...(isIP(serverName) === 0 ? { servername: serverName } : {}),
            checkServerIdentity: (_host, certificate) => checkServerIdentity(serverName, certificate),
          }),
      ...(privateAddresses === 'refuse' ? { lookup: publicLookup } : {}),
    };
  }
}
