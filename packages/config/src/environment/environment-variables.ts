import { isIP } from 'node:net';
import { RedisUrlError, parseRedisUrl } from '@passport/contract';
import * as z from 'zod';
import { durationBetween } from '../keys/duration.ts';
import { userName } from '../keys/kinds.ts';
import { isWeakKey } from '../secrets/secret-strength.ts';

/** What a variable takes, and how that is described. */
interface VariableKind<T> {
  readonly schema: z.ZodType<T, string>;
  readonly allowed: string;
}

const refuse = (message: string) => ({ error: message });
const HTTP_URL = 'an http or https URL';

function integer(from: number, to: number) {
  const schema = z
    .string()
    .regex(/^\d{1,9}$/, refuse('is not a whole number'))
    .transform(Number)
    .refine((value) => value >= from && value <= to, refuse('is out of bounds'));
  return { schema, allowed: `a whole number from ${from} to ${to}` };
}

const port = { ...integer(0, 65_535), allowed: 'a port from 1 to 65535, or 0 for any free one' };

const host = {
  schema: z.string().regex(/^[A-Za-z0-9.:_-]{1,253}$/, refuse('is no host name or address')),
  allowed: 'a host name or an address, 0.0.0.0 for all of IPv4',
};

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const MOST_KEYS = 16;

const keys = z.string().transform((text, context): readonly Buffer[] => {
  const parts = text.split(',').map((part) => part.trim());
  const found = parts.map((part) => Buffer.from(part, 'base64'));
  const fault = (message: string) => context.addIssue({ code: 'custom', message });
  if (parts.length > MOST_KEYS) fault(`has more than ${MOST_KEYS} keys`);
  for (const [place, part] of parts.entries()) {
    const bytes = found[place]?.length ?? 0;
    if (!BASE64.test(part)) fault(`key ${place + 1} is not base64`);
    else if (bytes !== 32) fault(`key ${place + 1} has ${bytes} bytes`);
    else if (isWeakKey(found[place] ?? Buffer.alloc(0))) fault(`key ${place + 1} was not made at random`);
    else if (parts.indexOf(part) < place) fault(`key ${place + 1} is the same as one before it`);
  }
  return found;
});
const keyList = {
  schema: keys,
  allowed: 'base64 of exactly 32 bytes, or several, separated by commas',
};

const isProxy = (text: string) => {
  const [address = '', mask, ...more] = text.trim().split('/');
  if (['loopback', 'linklocal', 'uniquelocal'].includes(text.trim())) return true;
  const version = isIP(address);
  const longest = version === 4 ? 32 : 128;
  return (
    version !== 0 &&
    more.length === 0 &&
    (mask === undefined || (/^\d{1,3}$/.test(mask) && Number(mask) <= longest))
  );
};

const trusted = z.string().transform((text, context): boolean | number | string => {
  if (text === 'true' || text === 'false') return text === 'true';
  if (/^\d{1,2}$/.test(text)) return Number(text);
  if (!text.split(',').every(isProxy)) {
    context.addIssue({ code: 'custom', message: 'names no proxy that can be trusted' });
  }
  return text;
});
const trustProxy = {
  schema: trusted,
  allowed: 'true, false, a number of hops, or addresses and networks, separated by commas',
};

const proxies = {
  schema: z.string().refine((text) => text.split(',').every(isProxy), refuse('names no proxy')),
  allowed: 'addresses and networks, separated by commas',
};

const headerName = {
  schema: z.string().regex(/^[A-Za-z][A-Za-z0-9-]{0,63}$/, refuse('is no name of a header')),
  allowed: 'the name of a header such as X-Forwarded-User',
};

const grace = { schema: durationBetween('1s', '10m'), allowed: 'a duration from 1s to 10m' };

const url = z
  .string()
  .refine(
    (text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol),
    refuse('is no http or https URL'),
  );

const httpUrl = { schema: url, allowed: HTTP_URL };
/** Without a slash at its end. */
const baseUrl = { schema: url.transform((text) => text.replace(/\/+$/, '')), allowed: HTTP_URL };

/** Whatever the connection is made from later is understood here, or refused in the same words. */
const redis = z.string().superRefine((text, context) => {
  try {
    parseRedisUrl(text);
  } catch (error) {
    if (!(error instanceof RedisUrlError)) throw error;
    context.addIssue({ code: 'custom', message: error.message });
  }
});

const redisUrl = {
  schema: redis,
  allowed:
    'redis://[USER:PASSWORD@]HOST[:PORT][/DB], rediss://..., redis+sentinel://H1:P,H2:P/NAME or redis+cluster://H1:P,H2:P',
};

const basePath = {
  schema: z
    .string()
    .regex(/^\/(?:[A-Za-z0-9_~.-]+\/?)*$/, refuse('is no path'))
    .transform((path) => path.replace(/\/$/, '')),
  allowed: 'a path such as /passport',
};

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;
const logLevel = {
  schema: z.enum(LOG_LEVELS, refuse('is no level')),
  allowed: LOG_LEVELS.join(', '),
};

const filePath = { schema: z.string(), allowed: 'the path of a YAML file' };

const folderPath = {
  schema: z.string().regex(/^\//, refuse('is no absolute path')),
  allowed: 'the absolute path of a folder',
};

const password = {
  schema: z.string().max(200, refuse('is too long')),
  allowed: '12 to 200 characters that nobody can guess',
};

/** Any password that a field of SIP can hold. */
const sipPassword = {
  schema: z
    .string()
    .max(200, refuse('is too long'))
    .regex(/^[^|\r\n]*$/, refuse('has a | or a line break, which ends a field of SIP')),
  allowed: 'at most 200 characters, without a vertical bar',
};

type ProcessName = 'receiver' | 'worker' | 'dashboard' | 'cli';
const SERVERS: readonly ProcessName[] = ['receiver', 'worker', 'dashboard'];
const ALL: readonly ProcessName[] = [...SERVERS, 'cli'];

/** One environment variable: who reads it, what it takes, and what holds when it is not set (null: nothing). */
export interface Variable<T, Fallback = string | null> extends VariableKind<T> {
  readonly name: string;
  readonly readBy: readonly ProcessName[];
  readonly description: string;
  readonly fallback: Fallback;
}

function variable<T, Fallback extends string | null>(
  name: string,
  readBy: readonly ProcessName[],
  fallback: Fallback,
  kind: VariableKind<T>,
  description: string,
): Variable<T, Fallback> {
  return { name, readBy, fallback, ...kind, description };
}

/** Every environment variable that a process reads. Each can also be given as NAME_FILE, the path of a file that holds the value. */
export const VARIABLES = {
  config: variable('PASSPORT_CONFIG', ALL, 'passport.yaml', filePath, 'The configuration file.'),
  keys: variable(
    'PASSPORT_KEY',
    ['receiver', 'worker', 'cli'],
    null,
    keyList,
    'Keys that encrypt cards in the queue: the first encrypts, all decrypt. `passport secret new` generates one.',
  ),
  redisUrl: variable(
    'REDIS_URL',
    ALL,
    null,
    redisUrl,
    'The Redis that holds the queue. It must have no eviction, and AOF enabled.',
  ),
  minReplicas: variable(
    'REDIS_MIN_REPLICAS',
    ['receiver'],
    '0',
    integer(0, 16),
    'Number of replicas that must have an event before it is acknowledged.',
  ),
  receiverUrl: variable(
    'PASSPORT_RECEIVER',
    ['cli'],
    'http://127.0.0.1:8080',
    baseUrl,
    'The receiver that `passport send`, `passport doctor` and `passport rehearse` use. Not set: `doctor` and `rehearse` take `public.receiver` of the file, if it is there.',
  ),
  secrets: variable(
    'PASSPORT_SECRETS',
    ['cli'],
    null,
    folderPath,
    'Where `passport library accept` writes the secrets of a library that joins. Not set: the folder `secrets` beside the configuration file.',
  ),
  sipPassword: variable(
    'PASSPORT_SIP_PASSWORD',
    ['cli'],
    null,
    sipPassword,
    'The password of the SIP user that `passport rehearse --sip` logs in as.',
  ),
  receiverPort: variable('RECEIVER_PORT', ['receiver'], '8080', port, 'The port for events.'),
  receiverHost: variable('RECEIVER_HOST', ['receiver'], '0.0.0.0', host, 'The address it listens on.'),
  trustProxy: variable(
    'TRUST_PROXY',
    ['receiver', 'dashboard'],
    'false',
    trustProxy,
    'Proxies whose `X-Forwarded-For` is trusted.',
  ),
  dashboardPort: variable('DASHBOARD_PORT', ['dashboard'], '8081', port, 'The port of the dashboard.'),
  dashboardHost: variable('DASHBOARD_HOST', ['dashboard'], '127.0.0.1', host, 'The address it listens on.'),
  dashboardBasePath: variable(
    'DASHBOARD_BASE_PATH',
    ['dashboard'],
    '/',
    basePath,
    'Its path behind a proxy.',
  ),
  dashboardUser: variable('DASHBOARD_USER', ['dashboard'], null, userName, 'Login that may view and retry.'),
  dashboardPassword: variable('DASHBOARD_PASSWORD', ['dashboard'], null, password, 'Its password.'),
  viewerUser: variable('DASHBOARD_VIEWER_USER', ['dashboard'], null, userName, 'Login that may only view.'),
  viewerPassword: variable('DASHBOARD_VIEWER_PASSWORD', ['dashboard'], null, password, 'Its password.'),
  proxyUserHeader: variable(
    'DASHBOARD_PROXY_USER_HEADER',
    ['dashboard'],
    null,
    headerName,
    'Single sign-on: the header in which a proxy says who it has logged in, a name of `users`. Only believed from `DASHBOARD_PROXY_FROM`.',
  ),
  proxyFrom: variable(
    'DASHBOARD_PROXY_FROM',
    ['dashboard'],
    null,
    proxies,
    'Addresses from which that proxy connects.',
  ),
  concurrency: variable(
    'WORKER_CONCURRENCY',
    ['worker'],
    '50',
    integer(1, 500),
    'Events that one worker process handles at the same time.',
  ),
  adminPort: variable(
    'ADMIN_PORT',
    SERVERS,
    '9464',
    port,
    'The port for `/livez`, `/readyz` and `/metrics`. Do not expose it to the public.',
  ),
  adminHost: variable('ADMIN_HOST', SERVERS, '127.0.0.1', host, 'The address it listens on.'),
  shutdownGrace: variable(
    'SHUTDOWN_GRACE',
    SERVERS,
    '25s',
    grace,
    'How long a process may take to stop. Must be shorter than the stop_grace_period of compose.',
  ),
  logLevel: variable('LOG_LEVEL', SERVERS, 'info', logLevel, 'The lowest level that is logged.'),
  otlpEndpoint: variable(
    'OTEL_EXPORTER_OTLP_ENDPOINT',
    ['receiver', 'worker'],
    null,
    httpUrl,
    'Where OpenTelemetry traces are sent. Not set: no traces.',
  ),
};
