/** A server as `staffetta.yml` names it: where it is, how its certificate is checked, as whom Staffetta comes. */
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { type ConnectionOptions, checkServerIdentity } from 'node:tls';
import type { LdapConfig } from '../../config/ldap.ts';
import { readSecret, SecretError } from '../../config/secret.ts';
import { TargetError } from '../target.ts';

export interface Account {
  readonly dn: string;
  readonly password: string;
}

export class Server {
  /** Its URL, which holds no secret: for messages. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte (ldaps://). */
  readonly secure: boolean;
  readonly startTls: boolean;
  /** Milliseconds until an answer is given up. */
  readonly timeout: number;
  readonly #config: LdapConfig;
  readonly #folder: string;

  /** `folder`: where relative file names of the configuration begin. */
  constructor(url: string, config: LdapConfig, folder: string) {
    const { protocol, hostname, port } = new URL(url);
    this.secure = protocol === 'ldaps:';
    this.host = hostname.replace(/^\[(.*)\]$/, '$1') || 'localhost';
    this.port = port === '' ? (this.secure ? 636 : 389) : Number(port);
    this.name = url;
    this.startTls = config.startTls && !this.secure;
    this.timeout = config.timeout;
    this.#config = config;
    this.#folder = folder;
  }

  /** Read anew for every connection, so that a renewed certificate is noticed. Throws `misconfigured`. */
  tls(): ConnectionOptions {
    const { ca, cert, key, serverName = this.host } = this.#config.tls ?? {};
    return {
      ...(ca === undefined ? {} : { ca: this.#read(ca) }),
      ...(cert === undefined ? {} : { cert: this.#read(cert) }),
      ...(key === undefined ? {} : { key: this.#read(key) }),
      ...(isIP(serverName) === 0 ? { servername: serverName } : {}),
      checkServerIdentity: (_host, certificate) => checkServerIdentity(serverName, certificate),
    };
  }

  /**
   * The account to bind as, undefined for nobody. A bind without a DN or without a password would succeed, but as nobody
   * (RFC 4513 §5.1.1 and §5.1.2): that is `misconfigured`.
   */
  account(): Account | undefined {
    const { bind } = this.#config;
    if (bind === undefined) return undefined;
    const password = this.#password(bind.password);
    if (bind.dn !== '' && password !== '') return { dn: bind.dn, password };
    throw new TargetError('misconfigured', `bind: the ${bind.dn === '' ? 'dn' : 'password'} is empty`);
  }

  #password(secret: Parameters<typeof readSecret>[0]): string {
    try {
      return readSecret(secret);
    } catch (error) {
      if (error instanceof SecretError) throw new TargetError('misconfigured', error.message, { cause: error });
      throw error;
    }
  }

  #read(file: string): Buffer {
    const path = resolve(this.#folder, file);
    try {
      return readFileSync(path);
    } catch (error) {
      throw new TargetError('misconfigured', `cannot read ${path}: ${String(error)}`, { cause: error });
    }
  }
}
