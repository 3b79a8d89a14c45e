import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from './free-port.ts';
import { LaunchError } from './launch-error.ts';
import type { Scratch } from './scratch.ts';

const program = fileURLToPath(new URL('scim-service.ts', import.meta.url));

/** Milliseconds that it gets to begin. */
const patience = 20_000;

/** A SCIM service on this machine. */
export interface ScimService {
  /** What `/Users` is put after. */
  readonly url: string;
  /** The bearer token that it asks for. */
  readonly token: string;
}

/** Starts a SCIM service in a scratch folder, with which it ends. Throws LaunchError where it does not begin. */
export async function startScim(scratch: Scratch): Promise<ScimService> {
  const port = await freePort();
  const service = { url: `http://127.0.0.1:${port}/scim/v2`, token: randomUUID() };
  const env = { PORT: String(port), TOKEN: service.token };
  const started = scratch.start(process.execPath, [program], { log: 'scim.log', env });
  for (const deadline = performance.now() + patience; performance.now() < deadline; await setTimeout(20)) {
    if (started.exitCode !== null) break;
    if (await isThere(service)) return service;
  }
  throw new LaunchError(`the SCIM service does not answer. It says:\n${await scratch.printed('scim.log')}`);
}

async function isThere({ url, token }: ScimService): Promise<boolean> {
  const headers = { authorization: `Bearer ${token}` };
  return fetch(`${url}/ServiceProviderConfig`, { headers }).then(
    ({ ok }) => ok,
    () => false,
  );
}
