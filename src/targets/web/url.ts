import { TargetError } from '../target.ts';
import type { WebRequest } from './answer.ts';

/**
 * Where a request goes: below the base URL, or to an absolute URL on the same server, such as that of the next page. Throws
 * `misconfigured` for one on another server, which our credentials are not for.
 */
export function locate(base: string, { path, query = {}, what }: Pick<WebRequest, 'path' | 'query' | 'what'>): URL {
  const url = new URL(base);
  if (/^[a-z][a-z0-9+.-]*:/i.test(path)) {
    const other = URL.parse(path);
    if (other?.origin !== url.origin) {
      const message = `${what}: the service points to ${other?.origin ?? 'what is no URL'}, which is not ${url.origin}: credentials are for that alone`;
      throw new TargetError('misconfigured', message);
    }
    url.pathname = other.pathname;
    url.search = other.search;
  } else if (path !== '') {
    const [below = '', search = ''] = path.split(/\?(.*)/s);
    url.pathname = `${url.pathname.replace(/\/$/, '')}/${below.replace(/^\//, '')}`;
    for (const [name, value] of new URLSearchParams(search)) url.searchParams.append(name, value);
  }
  for (const [name, value] of Object.entries(query)) url.searchParams.append(name, value);
  return url;
}
