import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { HiddenSecret, readSecret, type Secret, SecretError } from '../../config/secret.ts';
import { mask, mayBeSecret, oneLine, storable } from '../../programs/output.ts';
import { TargetError } from '../target.ts';

/** So much of a text is looked at for an excerpt, in characters. */
const looked = 65_536;

/** The secrets of a target: read from where they are, and taken out of whatever is shown. */
export class Secrets {
  readonly #folder: string;
  readonly #known = new Set<string>();

  /** `folder`: where relative file names begin. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** What a secret is at this moment. Throws `misconfigured` where its file cannot be read. */
  read(secret: Secret): string {
    return this.hide(this.#read(secret));
  }

  /** The same of what may be a secret or a mere setting: a key of the service, or a version of it. */
  setting(value: Secret): string {
    const text = this.#read(value);
    return mayBeSecret(text) ? this.hide(text) : text;
  }

  #read(secret: Secret): string {
    try {
      return readSecret(secret instanceof HiddenSecret ? secret.within(this.#folder) : secret);
    } catch (error) {
      if (error instanceof SecretError) throw new TargetError('misconfigured', error.message, { cause: error });
      throw error;
    }
  }

  /** What a file holds, such as a certificate. Throws `misconfigured` where it cannot be read. */
  file(name: string): Buffer {
    const path = resolve(this.#folder, name);
    try {
      return readFileSync(path);
    } catch (error) {
      throw new TargetError('misconfigured', `cannot read ${path}: ${String(error)}`, { cause: error });
    }
  }

  /** Has a text taken out of all that is shown from now on; answers with it. */
  hide(text: string): string {
    this.#known.add(text);
    return text;
  }

  /** The beginning of a text as it may be shown: one line, without our secrets and those given. */
  excerpt(text: string, more: readonly string[] = []): string {
    const secrets = [...this.#known, ...more].flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1)]);
    return oneLine(storable(mask(text.slice(0, looked), secrets)));
  }
}
