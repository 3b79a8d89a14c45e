/** The URL of a web service as it may be shown and stored: without its query, which may hold a key of ours. */
export function shownUrl(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname.replace(/\/+$/, '')}`;
}
