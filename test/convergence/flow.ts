import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Counterpart, Told } from './counterpart.ts';

const named = /^lists-(\d{6})\.ldif$/;

/** Reads a flow of LDIF files, as whoever it is made for would: in the order of their numbers, of which none may be missing. */
export class Flow implements Counterpart {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  get env(): Readonly<Record<string, string>> {
    return { FOLDER: this.#folder };
  }

  async told(): Promise<Told> {
    const names = (await readdir(this.#folder)).filter((name) => !name.startsWith('.')).toSorted();
    const findings = names.flatMap((name, index) => {
      const number = Number(named.exec(name)?.[1]);
      return number === index + 1 ? [] : [`lists: ${name} is file ${index + 1} of the flow`];
    });
    const ldif = await Promise.all(names.map((name) => readFile(join(this.#folder, name), 'utf8')));
    return { ldif, findings };
  }

  async close(): Promise<void> {}
}
