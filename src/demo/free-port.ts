import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { LaunchError } from './launch-error.ts';

const FIRST = 15_000;
/** Linux gives ports from 32768 on to outgoing connections. A server that is stopped for a while could lose such a port. */
const AFTER_LAST = 32_768;
const TRIES = 50;

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => probe.close(() => resolve(true)));
  });
}

/**
 * A TCP port of 127.0.0.1 on which nothing listens, outside the range of outgoing connections, so that a server may stop
 * and come back on it.
 */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < TRIES; tries++) {
    const port = randomInt(FIRST, AFTER_LAST);
    if (await isFree(port)) return port;
  }
  throw new LaunchError(`no free port found on 127.0.0.1 between ${FIRST} and ${AFTER_LAST - 1} in ${TRIES} tries`);
}
