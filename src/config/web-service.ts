import type { Findings } from './check.ts';
import { checkKeyPair } from './key-pair.ts';
import { isLoopback } from './loopback.ts';
import type { Path, Problem } from './problem.ts';
import type { WebConfig } from './web.ts';

/** Checks how the service of a target is reached: encryption, proxy, and whether its pace leaves time for all. */
export function checkWebService(target: WebConfig, above: Path): Findings {
  const { auth, privateAddresses, proxy, tls, url } = target;
  const problems = checkKeyPair(tls, above);
  const warnings: Problem[] = [];
  if (auth !== undefined && auth.type !== 'hmac' && isOpen(url)) {
    const message = `found http://: what says who we are travels unencrypted; use https://`;
    warnings.push({ path: [...above, 'url'], message });
  }
  if (auth?.type === 'oauth2' && isOpen(auth.tokenUrl)) {
    const message = 'found http://: the secret of the client travels unencrypted; use https://';
    warnings.push({ path: [...above, 'auth', 'tokenUrl'], message });
  }
  if (tls !== undefined && !url.startsWith('https:')) {
    warnings.push({ path: [...above, 'tls'], at: 'key', message: 'has no effect without https://' });
  }
  if (proxy !== undefined && privateAddresses === 'refuse') {
    const message = 'found refuse together with a proxy, expected one of the two: it is the proxy that resolves names';
    problems.push({ path: [...above, 'privateAddresses'], message });
  }
  return { problems, warnings: [...warnings, ...checkRate(target, above)] };
}

function isOpen(text: string): boolean {
  const url = URL.parse(text);
  return url?.protocol === 'http:' && !isLoopback(url.hostname);
}

/** An operation whose turn does not come within its time has the whole target wait. */
function checkRate({ rate, slots, concurrency, timeout }: WebConfig, above: Path): Problem[] {
  if (rate === undefined) return [];
  const atOnce = slots * concurrency;
  const inTime = Math.floor((rate.count * timeout) / rate.within);
  if (atOnce <= inTime) return [];
  const message = `${atOnce} operations may be in flight (slots × concurrency), but only ${inTime} have their turn within timeout; lower concurrency, or raise timeout`;
  return [{ path: [...above, 'rate'], message }];
}
