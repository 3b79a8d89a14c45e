/** Who is told what a target should hold, where that is not a directory. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Directory } from '../setup/directory.ts';
import type { Means } from './conduct.ts';
import { type TargetName, unitsOf } from './desired.ts';
import { Flow } from './flow.ts';
import type { TcpProxy } from './proxy.ts';
import { ScimService } from './scim-service.ts';
import { Service } from './service.ts';
import { notStrange } from './strangers.ts';
import type { Tampering } from './tamper.ts';

/** What somebody was told, as far as a directory can hold it. */
export interface Told {
  /** LDIF which, one text after the other, makes of an empty tree what they were told. */
  readonly ldif: readonly string[];
  /** What is wrong with how they were told. */
  readonly findings: readonly string[];
}

export interface Counterpart {
  /** What `staffetta.yml` needs to reach them: variables by their names behind that of the target. */
  readonly env: Readonly<Record<string, string>>;
  told(): Promise<Told>;
  /** Behind Staffetta's back, changes what the `nth` of its entries says, or deletes it, if there is any; undefined: nobody can. */
  tamper?(how: Tampering, nth: number): void;
  /** What stands between the daemons and them, for the site to close; undefined: they are not asked over the network. */
  readonly proxy?: TcpProxy;
  close(): Promise<void>;
}

/** `folder`: of the history; `suffix`: of the directory that is made like them. */
export async function createCounterpart(
  means: Means,
  folder: string,
  suffix: string,
): Promise<Counterpart | undefined> {
  switch (means) {
    case 'ldap':
    case 'script':
      return undefined;
    case 'file': {
      const own = join(folder, 'flow');
      await mkdir(own);
      return new Flow(own);
    }
    case 'http':
      return Service.start(suffix);
    case 'scim':
      return ScimService.start(suffix);
  }
}

/** Makes the entries of a target be what its counterpart was told; answers with what is wrong. */
export async function mirror(counterpart: Counterpart, target: TargetName, directory: Directory): Promise<string[]> {
  const { ldif, findings } = await counterpart.told();
  const found = await directory.entries(`(&${notStrange}(|(employeeNumber=*)(businessCategory=*)))`, '1.1');
  const units = unitsOf(target).map((unit) => `,${unit},${directory.suffix}`);
  const own = [...found.keys()].filter((dn) => units.some((unit) => dn.endsWith(unit)));
  if (own.length > 0) await directory.modify(own.map((dn) => `dn: ${dn}\nchangetype: delete\n`).join('\n'));
  const wrong = [...findings];
  for (const text of ldif)
    await directory.modify(text).catch((error: unknown) => wrong.push(`${target}: ldapmodify refuses it: ${error}`));
  return wrong;
}
