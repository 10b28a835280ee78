import { isLoopback } from './koha-url.ts';

/** The longest address that SMTP takes (RFC 5321, 4.5.3.1). */
const LONGEST_ADDRESS = 254;
/** A bare address: no display name, no quotes, nothing that could begin a header or another recipient. */
const ADDRESS =
  /^[\w!#$%&'*+/=?^`{|}~.-]{1,64}@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i;

/** Whether a text is one bare e-mail address, and nothing beside it. */
export const isMailAddress = (text: string): boolean => text.length <= LONGEST_ADDRESS && ADDRESS.test(text);

const HOST = /^(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])$/i;

/** A mail server, as the address of an endpoint names it. */
export interface MailServer {
  readonly host: string;
  readonly port: number;
  /** Null: it lets this machine send without a password. */
  readonly user: string | null;
  /** `start`: TLS from the first byte. `upgrade`: STARTTLS before anything is said. `none`: this machine, and no way between. */
  readonly tls: 'start' | 'upgrade' | 'none';
}

/** Reads `smtps://USER@HOST[:PORT]` or `smtp://...`. What is wrong with it is a text that repeats nothing of it: it may hold a password. */
export function readMailServer(text: string): MailServer | string {
  if (!URL.canParse(text)) return 'is not a URL';
  const { protocol, hostname, port, username, password, pathname, search, hash } = new URL(text);
  if (protocol !== 'smtps:' && protocol !== 'smtp:') return 'is neither smtps nor smtp';
  if (password !== '') return 'holds a password, which belongs into secret';
  if (!HOST.test(hostname)) return 'names no host';
  if (!['', '/'].includes(pathname) || search !== '' || hash !== '')
    return 'has a path, a query or a fragment';
  const user = decoded(username);
  if (user === null || user.length > LONGEST_ADDRESS || /\p{Cc}/u.test(user))
    return 'has a user name that cannot be read';
  const host = hostname.toLowerCase();
  const isSecure = protocol === 'smtps:';
  return {
    host: host.replaceAll(/[[\]]/g, ''),
    port: port === '' ? (isSecure ? 465 : 587) : Number(port),
    user: user === '' ? null : user,
    tls: isSecure ? 'start' : isLoopback(host) ? 'none' : 'upgrade',
  };
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
