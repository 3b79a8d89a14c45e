/** Whether a host, as it stands in a URL, is this machine itself: what goes there passes nobody. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127(\.\d+){3}$/.test(host);
}
