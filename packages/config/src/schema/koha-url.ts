import * as z from 'zod';

/** Whether a host name is of this machine. */
const isLoopback = (host: string): boolean =>
  host === 'localhost' ||
  host.endsWith('.localhost') ||
  host === '[::1]' ||
  /^127(?:\.\d{1,3}){3}$/.test(host);

/** Whether an address needs no TLS: it has it, stays on this machine, or is one of a compose service (no dot) where that is allowed. */
export function isHttpAllowed(url: string, allowsService: boolean): boolean {
  const { protocol, hostname } = new URL(url);
  const isService = !hostname.includes('.') && !hostname.startsWith('[');
  return protocol !== 'http:' || isLoopback(hostname) || (allowsService && isService);
}

/** What is wrong with an http address, or null. The address itself is never repeated: it may hold a password. */
export function faultOfHttpUrl(text: string): string | null {
  if (!URL.canParse(text)) return 'is not a URL';
  const { protocol, username, password } = new URL(text);
  if (protocol !== 'https:' && protocol !== 'http:') return 'is neither https nor http';
  return username === '' && password === '' ? null : 'holds a user name or a password';
}

function faultOfKohaUrl(text: string): string | null {
  const fault = faultOfHttpUrl(text);
  if (fault !== null) return fault;
  const { pathname, search, hash } = new URL(text);
  if (search !== '' || hash !== '' || text.endsWith('?') || text.endsWith('#'))
    return 'has a query or a fragment';
  if (/\/api(?:\/v1)?\/*$/.test(pathname)) return 'ends in /api/v1, which is added by itself';
  return pathname.includes('/cgi-bin/') ? 'is the address of a page, not of the host' : null;
}

/** One spelling of an address (host in small letters, no default port, no slash at the end), so that two can be compared. */
function spelt(text: string): string {
  const { protocol, hostname, port, pathname } = new URL(text);
  const host = hostname.replace(/\.$/, '');
  return `${protocol}//${host}${port === '' ? '' : `:${port}`}${pathname.replace(/\/+$/, '')}`;
}

const address = (faultOf: (text: string) => string | null) =>
  z.string().transform((text, context) => {
    const message = faultOf(text);
    if (message === null) return spelt(text);
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });

/** A Koha's address, in one spelling. */
export const kohaAddress = address(faultOfKohaUrl);

/** Where people and Kohas reach a part of the service, in one spelling; links are made by adding a path. */
export const publicAddress = address((text) => {
  const fault = faultOfHttpUrl(text);
  if (fault !== null) return fault;
  if (/[?#]/.test(text)) return 'has a query or a fragment';
  return isHttpAllowed(text, true) ? null : 'is plain http: anybody on the way could read and answer it';
});
