import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { inspect } from 'node:util';

/** A secret as the file gives it: the text itself, or the file that holds it (a mounted secret, for example). */
export type GivenSecret = string | { readonly file: string };

/** A secret of the configuration; only `readSecret` says what it is. */
export type Secret = GivenSecret | HiddenSecret;

/** A secret file that cannot be read. */
export class SecretError extends Error {
  override readonly name = 'SecretError';
}

/** A secret that printing, logging and JSON show as `[secret]`. */
export class HiddenSecret {
  readonly #given: GivenSecret;
  readonly #folder: string;

  /** `folder`: where a relative file name begins. */
  constructor(given: GivenSecret, folder = '.') {
    this.#given = given;
    this.#folder = folder;
  }

  /** The same secret, its relative file name beginning in another folder. */
  within(folder: string): HiddenSecret {
    return new HiddenSecret(this.#given, folder);
  }

  /** See `readSecret`. */
  read(): string {
    if (typeof this.#given === 'string') return this.#given;
    const file = resolve(this.#folder, this.#given.file);
    try {
      const text = readFileSync(file, 'utf8').replace(/\r?\n$/, '');
      if (text !== '') return text;
    } catch (error) {
      const reason =
        error instanceof Error && 'code' in error && error.code === 'ENOENT' ? 'it does not exist' : String(error);
      throw new SecretError(`cannot read the secret file ${file}: ${reason}`);
    }
    throw new SecretError(`the secret file ${file} is empty`);
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  [inspect.custom](): string {
    return '[secret]';
  }
}

/** What a secret is; of a file, its text without the newline at its end. Throws SecretError if that
 * cannot be read or is empty. */
export function readSecret(secret: Secret): string {
  return (secret instanceof HiddenSecret ? secret : new HiddenSecret(secret)).read();
}

/** A connection string as it may be shown: without its password. */
export function redactUrl(url: string): string {
  return url.replace(/^(\w+:\/\/[^:/@]*):.*@/s, '$1:***@').replaceAll(/([?&]\w*password=)[^&]*/gi, '$1***');
}
