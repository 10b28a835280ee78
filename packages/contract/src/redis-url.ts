export interface RedisNode {
  readonly host: string;
  readonly port: number;
}

interface Access {
  readonly tls: boolean;
  readonly username: string | null;
  readonly password: string | null;
}

/** Where Redis is and how to get in, as `REDIS_URL` says. */
export type RedisTarget =
  | ({ readonly kind: 'single'; readonly node: RedisNode; readonly db: number } & Access)
  | ({ readonly kind: 'cluster'; readonly nodes: readonly RedisNode[] } & Access)
  | ({
      readonly kind: 'sentinel';
      readonly nodes: readonly RedisNode[];
      readonly name: string;
      readonly db: number;
      readonly sentinelPassword: string | null;
    } & Access);

/** A Redis URL that cannot be used. The message names the problem and never holds a part of the URL. */
export class RedisUrlError extends Error {
  override readonly name = 'RedisUrlError';
}

const SHAPE = /^([a-z][a-z0-9+]*):\/\/(?:(.*)@)?([^@/?]*)(?:\/([^@?]*))?(?:\?([^@]*))?$/is;
const FORMS = 'redis://, rediss://, redis+sentinel://h1:p,h2:p/name or redis+cluster://h1:p,h2:p';
const OPTIONS = ['db', 'tls', 'sentinel_password'];

/**
 * Parses every form of `REDIS_URL` (docs/configuration.md): `redis://` and `rediss://[user:pass@]host[:port][/db]`,
 * `redis+sentinel://[user:pass@]h1:p,h2:p/name[?db=n&tls=1&sentinel_password=p]` and
 * `redis+cluster://[user:pass@]h1:p,h2:p[?tls=1]`. User and password are those of the data nodes,
 * percent-encoded. Throws {@link RedisUrlError}.
 */
export function parseRedisUrl(url: string): RedisTarget {
  const [, scheme, userInfo, hosts, path = '', query = ''] = SHAPE.exec(url.trim()) ?? [];
  if (scheme === undefined || hosts === undefined) throw new RedisUrlError(`is none of ${FORMS}`);
  const options = parseOptions(query);
  const access = { tls: parseTls(options), ...parseUserInfo(userInfo) };
  switch (scheme.toLowerCase()) {
    case 'redis':
    case 'rediss': {
      const tls = access.tls || scheme.toLowerCase() === 'rediss';
      return { kind: 'single', node: oneNode(hosts), db: parseDb(path || options.get('db')), ...access, tls };
    }
    case 'redis+sentinel':
      return {
        kind: 'sentinel',
        nodes: parseNodes(hosts, 26_379),
        name: parseMasterName(path),
        db: parseDb(options.get('db')),
        sentinelPassword: options.get('sentinel_password') ?? null,
        ...access,
      };
    case 'redis+cluster':
      if (path !== '' || options.has('db')) throw new RedisUrlError('a cluster has no database number');
      return { kind: 'cluster', nodes: parseNodes(hosts, 6379), ...access };
    default:
      throw new RedisUrlError(`has a scheme other than ${FORMS}`);
  }
}

function parseUserInfo(userInfo: string | undefined): Pick<Access, 'username' | 'password'> {
  if (userInfo === undefined) return { username: null, password: null };
  const colon = userInfo.indexOf(':');
  if (colon === -1) throw new RedisUrlError('has a user but no password: write user:password@ or :password@');
  return {
    username: decode(userInfo.slice(0, colon), 'user') || null,
    password: decode(userInfo.slice(colon + 1), 'password') || null,
  };
}

function decode(text: string, what: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new RedisUrlError(`has a ${what} that is not percent-encoded: write % as %25`);
  }
}

function oneNode(hosts: string): RedisNode {
  const [node, ...more] = parseNodes(hosts, 6379);
  if (node === undefined || more.length > 0) {
    throw new RedisUrlError('names several hosts: use redis+sentinel:// or redis+cluster://');
  }
  return node;
}

function parseNodes(hosts: string, defaultPort: number): readonly RedisNode[] {
  return hosts.split(',').map((text, index) => parseNode(text.trim(), defaultPort, index + 1));
}

function parseNode(text: string, defaultPort: number, position: number): RedisNode {
  const [, host6, host4, port] = /^(?:\[([0-9a-f:.%]+)\]|([^\s:[\]]+))(?::(\d{1,5}))?$/i.exec(text) ?? [];
  const host = host6 ?? host4;
  if (host === undefined) throw new RedisUrlError(`host ${position} is not a host or host:port`);
  const number = port === undefined ? defaultPort : Number(port);
  if (number < 1 || number > 65_535) throw new RedisUrlError(`the port of host ${position} is not 1-65535`);
  return { host, port: number };
}

function parseOptions(query: string): ReadonlyMap<string, string> {
  const options = new Map(query === '' ? [] : new URLSearchParams(query));
  for (const key of options.keys()) {
    if (!OPTIONS.includes(key)) throw new RedisUrlError(`has an option other than ${OPTIONS.join(', ')}`);
  }
  return options;
}

function parseTls(options: ReadonlyMap<string, string>): boolean {
  const tls = options.get('tls') ?? '0';
  if (tls !== '0' && tls !== '1') throw new RedisUrlError('tls is neither 0 nor 1');
  return tls === '1';
}

function parseDb(text: string | undefined): number {
  if (text === undefined || text === '') return 0;
  if (!/^\d{1,4}$/.test(text)) throw new RedisUrlError('the database is not a number');
  return Number(text);
}

function parseMasterName(path: string): string {
  if (!/^[\w.-]+$/.test(path)) throw new RedisUrlError('names no master: redis+sentinel://h1:p,h2:p/name');
  return path;
}
