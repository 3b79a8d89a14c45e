import type { Findings } from './check.ts';
import { quote } from './form.ts';
import { checkKeyPair } from './key-pair.ts';
import type { LdapConfig } from './ldap.ts';
import { isLoopback } from './loopback.ts';
import { type Path, type Problem, valueAt } from './problem.ts';

const examples = 'such as ldaps://ldap.example.org or ldap://localhost:389';

/** Checks how the servers of an ldap target are reached: addresses, encryption, and whether a password travels openly. */
export function checkLdapServer(target: LdapConfig, above: Path, written: unknown): Findings {
  const problems: Problem[] = [];
  const warnings: Problem[] = [];
  const one = typeof valueAt(written, [...above, 'url']) === 'string';
  for (const [index, text] of target.url.entries()) {
    const path = one ? [...above, 'url'] : [...above, 'url', index];
    const found = `found ${quote(String(valueAt(written, path)))}`;
    const url = parseUrl(text);
    if (url === undefined) {
      problems.push({ path, message: `${found}, expected ldap:// or ldaps:// with a host and no more, ${examples}` });
    } else if (url.protocol === 'ldaps:' && target.startTls) {
      problems.push({
        path,
        message: `${found} together with startTls: true; expected ldap:// with it, or ldaps:// alone`,
      });
    } else if (url.protocol === 'ldap:' && target.bind && !target.startTls && !isLoopback(url.hostname)) {
      const message = `${found}: the bind password travels unencrypted; use ldaps:// or startTls: true`;
      warnings.push({ path, message });
    }
  }
  const encrypted = target.startTls || target.url.some((url) => url.startsWith('ldaps:'));
  if (target.tls !== undefined && !encrypted) {
    warnings.push({ path: [...above, 'tls'], at: 'key', message: 'has no effect without ldaps:// or startTls: true' });
  }
  problems.push(...checkKeyPair(target.tls, above));
  return { problems, warnings };
}

function parseUrl(text: string): URL | undefined {
  const url = URL.parse(text);
  if (url === null || !['ldap:', 'ldaps:'].includes(url.protocol) || url.hostname === '') return undefined;
  return url.username + url.password + url.search + url.hash === '' && ['', '/'].includes(url.pathname)
    ? url
    : undefined;
}
