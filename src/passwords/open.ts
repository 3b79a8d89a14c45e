import type { PrivateKey } from 'openpgp';
import { z } from 'zod';
import type { Secret } from '../config/secret.ts';
import type { Password } from '../targets/target.ts';
import { readKey } from './keys.ts';

/** Whose password it is. */
export interface Owner {
  readonly entity: string;
  readonly key: string;
}

/** What `staffetta.set_password` seals. */
const content = z.object({
  entity: z.string(),
  key: z.string(),
  kind: z.enum(['change', 'reset']),
  new: z.string(),
  old: z.string().nullable(),
});

/** A sealed password that cannot be opened, or is somebody else's. */
export class SealError extends Error {
  override readonly name = 'SealError';
}

/** Opens what was sealed for an owner. Throws SealError. */
export type Opener = (sealed: Buffer, owner: Owner) => Promise<Password>;

/** What opens passwords with the configured private key, which is read when the first is to be opened. */
export function createOpener(secret: Secret): Opener {
  let key: PrivateKey | undefined;
  return async (sealed, { entity, key: whose }) => {
    try {
      key ??= await readKey(secret);
    } catch (error) {
      throw new SealError(`it cannot be opened: ${error instanceof Error ? error.message : String(error)}`);
    }
    const opened = await open(sealed, key);
    if (opened.entity !== entity || opened.key !== whose)
      throw new SealError('it was sealed for another identity, and is given to nobody; hand it over again');
    return { kind: opened.kind, next: opened.new, former: opened.old ?? undefined };
  };
}

async function open(sealed: Buffer, decryptionKeys: PrivateKey): Promise<z.output<typeof content>> {
  const { decrypt, readMessage } = await import('openpgp');
  try {
    const message = await readMessage({ binaryMessage: new Uint8Array(sealed) });
    const { data } = await decrypt({ message, decryptionKeys });
    return content.parse(JSON.parse(`${data}`));
  } catch {
    throw new SealError('it cannot be opened: passwords.key is not the key that it was sealed for; hand it over again');
  }
}
