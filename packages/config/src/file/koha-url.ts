/** Whether a host name is of this machine. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' ||
  host.endsWith('.localhost') ||
  host === '[::1]' ||
  /^127(?:\.\d{1,3}){3}$/.test(host);

/** Whether a host name has no dot, as a compose service. */
export const isComposeService = (host: string): boolean => !host.includes('.') && !host.startsWith('[');

/**
 * A Koha's address in one spelling (host in small letters, no default port, no slash at the end), so that two can be compared; or what
 * is wrong with it. The text itself is never repeated: it may hold a password.
 */
export function parseKohaUrl(text: string, allowHttp: boolean): { url: string } | { problem: string } {
  if (!URL.canParse(text)) return { problem: 'is not a URL' };
  const { protocol, hostname, port, pathname, username, password, search, hash } = new URL(text);
  if (protocol !== 'https:' && protocol !== 'http:') return { problem: 'is neither https nor http' };
  if (username !== '' || password !== '') return { problem: 'holds a user name or a password' };
  if (search !== '' || hash !== '' || text.endsWith('?') || text.endsWith('#')) {
    return { problem: 'has a query or a fragment' };
  }
  if (/\/api(?:\/v1)?\/*$/.test(pathname)) return { problem: 'ends in /api/v1, which is added by itself' };
  if (pathname.includes('/cgi-bin/')) return { problem: 'is the address of a page, not of the host' };
  const host = hostname.replace(/\.$/, '');
  if (protocol === 'http:' && !isLoopback(host) && !(allowHttp && isComposeService(host))) {
    return { problem: 'is plain http: patron data would travel unprotected' };
  }
  return { url: `${protocol}//${host}${port === '' ? '' : `:${port}`}${pathname.replace(/\/+$/, '')}` };
}
