import type { Directory } from '../setup/directory.ts';

/** The title of entries that are nobody's. */
const title = 'stranger';

/** The LDAP filter that leaves them out. */
export const notStrange = `(!(title=${title}))`;

/** Entries that Staffetta neither made nor adopted: in the end they have to be as they were made. */
export class Strangers {
  readonly #made: { readonly directory: Directory; readonly uid: string; readonly csn: string }[] = [];

  /** Adds one below a unit of the directory, or (undefined) below its suffix. */
  async add(directory: Directory, unit: string | undefined): Promise<void> {
    const uid = `stranger${this.#made.length + 1}`;
    const dn = [`uid=${uid}`, ...(unit === undefined ? [] : [unit]), directory.suffix].join();
    await directory.add(
      `dn: ${dn}\nobjectClass: inetOrgPerson\nuid: ${uid}\ncn: ${uid}\nsn: ${uid}\ntitle: ${title}\n`,
    );
    this.#made.push({ directory, uid, csn: await csnOf(directory, uid) });
  }

  /** What became of them and should not. */
  async findings(): Promise<string[]> {
    const found: string[] = [];
    for (const { directory, uid, csn } of this.#made)
      if ((await csnOf(directory, uid)) !== csn) found.push(`${uid}, whose entry is nobody's, was changed or removed`);
    return found;
  }
}

async function csnOf(directory: Directory, uid: string): Promise<string> {
  const [entry] = (await directory.entries(`(uid=${uid})`, 'entryCSN')).values();
  return entry?.entryCSN?.join() ?? 'gone';
}
