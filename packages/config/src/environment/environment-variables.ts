import * as z from 'zod';
import {
  basePath,
  grace,
  headerName,
  host,
  httpUrl,
  integer,
  keyList,
  password,
  port,
  proxies,
  redisUrl,
  refuse,
  trustProxy,
  user,
} from './variable-schemas.ts';

export type ProcessName = 'receiver' | 'worker' | 'dashboard' | 'cli';
const SERVERS: readonly ProcessName[] = ['receiver', 'worker', 'dashboard'];
const ALL: readonly ProcessName[] = [...SERVERS, 'cli'];

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** One environment variable: who reads it, what it takes, and what holds when it is not set (null: nothing). */
export interface Variable<T> {
  readonly name: string;
  readonly readBy: readonly ProcessName[];
  readonly description: string;
  readonly allowed: string;
  readonly fallback: string | null;
  readonly schema: z.ZodType<T, string>;
}

/** Every environment variable that a process reads. Each can also be given as NAME_FILE, the path of a file that holds the value. */
export const VARIABLES = {
  config: {
    name: 'PASSPORT_CONFIG',
    readBy: ALL,
    description: 'The configuration file.',
    fallback: 'passport.yaml',
    schema: z.string(),
    allowed: 'the path of a YAML file',
  },
  keys: {
    name: 'PASSPORT_KEY',
    readBy: ['receiver', 'worker', 'cli'],
    description:
      'Keys that encrypt cards in the queue: the first encrypts, all decrypt. `passport secret new` generates one.',
    fallback: null,
    schema: keyList,
    allowed: 'base64 of exactly 32 bytes, or several, separated by commas',
  },
  redisUrl: {
    name: 'REDIS_URL',
    readBy: ALL,
    description: 'The Redis that holds the queue. It must have no eviction, and AOF enabled.',
    fallback: null,
    schema: redisUrl,
    allowed:
      'redis://[USER:PASSWORD@]HOST[:PORT][/DB], rediss://..., redis+sentinel://H1:P,H2:P/NAME or redis+cluster://H1:P,H2:P',
  },
  minReplicas: {
    name: 'REDIS_MIN_REPLICAS',
    readBy: ['receiver'],
    description: 'Number of replicas that must have an event before it is acknowledged.',
    fallback: '0',
    ...integer(0, 16),
  },
  receiverUrl: {
    name: 'PASSPORT_RECEIVER',
    readBy: ['cli'],
    description: 'The receiver that `passport send` and `passport doctor` use.',
    fallback: 'http://127.0.0.1:8080',
    schema: httpUrl.transform((url) => url.replace(/\/+$/, '')),
    allowed: 'an http or https URL',
  },
  receiverPort: {
    name: 'RECEIVER_PORT',
    readBy: ['receiver'],
    description: 'The port for events.',
    fallback: '8080',
    ...port,
  },
  receiverHost: {
    name: 'RECEIVER_HOST',
    readBy: ['receiver'],
    description: 'The address it listens on.',
    fallback: '0.0.0.0',
    ...host,
  },
  trustProxy: {
    name: 'TRUST_PROXY',
    readBy: ['receiver', 'dashboard'],
    description: 'Proxies whose `X-Forwarded-For` is trusted.',
    fallback: 'false',
    schema: trustProxy,
    allowed: 'true, false, a number of hops, or addresses and networks, separated by commas',
  },
  dashboardPort: {
    name: 'DASHBOARD_PORT',
    readBy: ['dashboard'],
    description: 'The port of the dashboard.',
    fallback: '8081',
    ...port,
  },
  dashboardHost: {
    name: 'DASHBOARD_HOST',
    readBy: ['dashboard'],
    description: 'The address it listens on.',
    fallback: '127.0.0.1',
    ...host,
  },
  dashboardBasePath: {
    name: 'DASHBOARD_BASE_PATH',
    readBy: ['dashboard'],
    description: 'Its path behind a proxy.',
    fallback: '/',
    schema: basePath,
    allowed: 'a path such as /passport',
  },
  dashboardUser: {
    name: 'DASHBOARD_USER',
    readBy: ['dashboard'],
    description: 'Login that may view and retry.',
    fallback: null,
    ...user,
  },
  dashboardPassword: {
    name: 'DASHBOARD_PASSWORD',
    readBy: ['dashboard'],
    description: 'Its password.',
    fallback: null,
    ...password,
  },
  viewerUser: {
    name: 'DASHBOARD_VIEWER_USER',
    readBy: ['dashboard'],
    description: 'Login that may only view.',
    fallback: null,
    ...user,
  },
  viewerPassword: {
    name: 'DASHBOARD_VIEWER_PASSWORD',
    readBy: ['dashboard'],
    description: 'Its password.',
    fallback: null,
    ...password,
  },
  proxyUserHeader: {
    name: 'DASHBOARD_PROXY_USER_HEADER',
    readBy: ['dashboard'],
    description:
      'Single sign-on: the header in which a proxy says who it has logged in, a name of `users`. Only believed from `DASHBOARD_PROXY_FROM`.',
    fallback: null,
    schema: headerName,
    allowed: 'the name of a header such as X-Forwarded-User',
  },
  proxyFrom: {
    name: 'DASHBOARD_PROXY_FROM',
    readBy: ['dashboard'],
    description: 'Addresses from which that proxy connects.',
    fallback: null,
    schema: proxies,
    allowed: 'addresses and networks, separated by commas',
  },
  concurrency: {
    name: 'WORKER_CONCURRENCY',
    readBy: ['worker'],
    description: 'Events that one worker process handles at the same time.',
    fallback: '50',
    ...integer(1, 500),
  },
  adminPort: {
    name: 'ADMIN_PORT',
    readBy: SERVERS,
    description: 'The port for `/livez`, `/readyz` and `/metrics`. Do not expose it to the public.',
    fallback: '9464',
    ...port,
  },
  adminHost: {
    name: 'ADMIN_HOST',
    readBy: SERVERS,
    description: 'The address it listens on.',
    fallback: '127.0.0.1',
    ...host,
  },
  shutdownGrace: {
    name: 'SHUTDOWN_GRACE',
    readBy: SERVERS,
    description:
      'How long a process may take to stop. Must be shorter than the stop_grace_period of compose.',
    fallback: '25s',
    schema: grace,
    allowed: 'a duration from 1s to 10m',
  },
  logLevel: {
    name: 'LOG_LEVEL',
    readBy: SERVERS,
    description: 'The lowest level that is logged.',
    fallback: 'info',
    schema: z.enum(LOG_LEVELS, refuse('is no level')),
    allowed: LOG_LEVELS.join(', '),
  },
  otlpEndpoint: {
    name: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    readBy: ['receiver', 'worker'],
    description: 'Where OpenTelemetry traces are sent. Not set: no traces.',
    fallback: null,
    schema: httpUrl,
    allowed: 'an http or https URL',
  },
} as const satisfies Readonly<Record<string, Variable<unknown>>>;
