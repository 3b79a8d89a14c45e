import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { type Stringifier, stringify } from 'csv-stringify';
import type { Finding } from '../reconcile/pairing.ts';
import { UserError } from './user-error.ts';

/** The CSV file of all findings. What a spreadsheet would take for a formula is marked as text. */
export class FindingList {
  readonly #csv: Stringifier;
  readonly #written: Promise<void>;
  #failure: Error | undefined;

  /** Makes the file, or empties it; only its owner may read it. */
  constructor(file: string) {
    const columns = ['target', 'entity', 'verdict', 'key', 'entry', 'wanted', 'note'];
    this.#csv = stringify({ header: true, columns, escape_formulas: true });
    const output = this.#csv.pipe(createWriteStream(file, { mode: 0o600 }));
    this.#written = finished(output).catch((error: Error) => {
      this.#failure = new UserError(`${file} cannot be written: ${error.message}.`);
      this.#csv.destroy();
    });
    this.#csv.on('error', () => {}); // it is destroyed with the file, which says why
  }

  /** Adds what was found on one route. Throws UserError where the file cannot be written. */
  async add(target: string, entity: string, findings: AsyncIterable<Finding>): Promise<void> {
    for await (const finding of findings) {
      if (this.#failure) throw this.#failure;
      if (!this.#csv.write({ target, entity, ...finding }))
        await Promise.race([once(this.#csv, 'drain'), this.#written]);
    }
  }

  /** Resolves when all of it is in the file. */
  async end(): Promise<void> {
    this.#csv.end();
    await this.#written;
    if (this.#failure) throw this.#failure;
  }
}
