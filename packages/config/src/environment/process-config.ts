import { createHash } from 'node:crypto';
import { ConfigError } from '../problems/config-error.ts';
import { deepFreeze } from '../file/deep-freeze.ts';
import { countFixedSecrets } from '../secrets/fixed-secrets.ts';
import { EnvironmentReader } from './environment-reader.ts';
import { type LogLevel, VARIABLES } from './environment-variables.ts';
import type { Consortium } from '../file/model.ts';
import { readConsortium } from '../file/parse-consortium.ts';
import { ProblemList } from '../problems/problem-list.ts';
import {
  type Login,
  type ProxyLogin,
  checkUserNames,
  readLogin,
  readProxyLogin,
  readViewer,
} from './read-logins.ts';
import type { SecretKind } from '../secrets/secret-reader.ts';
import { Secret } from '../secrets/secret.ts';

export type ReadFile = (path: string) => string;

/** What every process that works with the queue needs. */
export interface QueueAccess {
  /** With the secrets that the process uses; the others are empty. */
  readonly consortium: Consortium;
  readonly redisUrl: Secret<string>;
  /** Which file this is: the first twelve digits of what `sha256sum` says of it. */
  readonly fileHash: string;
  /** How many secrets no reload renews: they are those of the start of the process (fixed-secrets.ts). */
  readonly fixedSecrets: number;
}

export interface ServerConfig extends QueueAccess {
  readonly adminPort: number;
  readonly adminHost: string;
  readonly shutdownGraceMs: number;
  readonly logLevel: LogLevel;
}

/** Of the processes that a scan passes through. */
export interface TracedConfig extends ServerConfig {
  /** The first encrypts, all decrypt; 32 bytes each. */
  readonly keys: readonly Secret<Buffer>[];
  /** Where traces go; null: none are made. */
  readonly otlpEndpoint: string | null;
}

export interface ReceiverConfig extends TracedConfig {
  readonly port: number;
  readonly host: string;
  readonly trustProxy: boolean | number | string;
  readonly minReplicas: number;
}

export interface WorkerConfig extends TracedConfig {
  readonly concurrency: number;
}

export interface DashboardConfig extends ServerConfig {
  readonly port: number;
  readonly host: string;
  /** '' or a path such as `/passport`, without a slash at its end. */
  readonly basePath: string;
  readonly trustProxy: boolean | number | string;
  readonly operator: Login;
  /** Null: nobody who may only look. */
  readonly viewer: Login | null;
  /** Null: no proxy logs anybody in. */
  readonly proxyLogin: ProxyLogin | null;
}

const NOT_READ = new Secret('');
const HASH_DIGITS = 12;

interface Reading {
  readonly readFile: ReadFile;
  /** The secrets of libraries that this process uses: it needs no others, and must not hold them. */
  readonly wanted: readonly SecretKind[];
}

function readFileOf(
  variables: EnvironmentReader,
  env: NodeJS.ProcessEnv,
  { readFile, wanted }: Reading,
): { readonly consortium: Consortium; readonly fileHash: string } | null {
  const path = variables.plain(VARIABLES.config, '');
  if (path === '') return null;
  let text: string;
  try {
    text = readFile(path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    variables.problems.add(
      ['PASSPORT_CONFIG'],
      `the file ${path} cannot be read (${code})`,
      'the path of a YAML file',
    );
    return null;
  }
  const { consortium, problems } = readConsortium(text, { env, readFile }, wanted);
  variables.problems.include(problems);
  return { consortium, fileHash: createHash('sha256').update(text).digest('hex').slice(0, HASH_DIGITS) };
}

/** Reads file and environment together, so that one ConfigError lists all that is wrong with both. */
export function readBoth<T>(
  env: NodeJS.ProcessEnv,
  reading: Reading,
  readEnvironment: (variables: EnvironmentReader, consortium: Consortium | null) => T,
): T & Pick<QueueAccess, 'consortium' | 'fileHash' | 'fixedSecrets'> {
  const problems = new ProblemList();
  // Node looks a variable up by going through all of them: with those of a thousand libraries, for seconds.
  const copy = { ...env };
  const variables = new EnvironmentReader({ env: copy, readFile: reading.readFile }, problems);
  const file = readFileOf(variables, copy, reading);
  const own = readEnvironment(variables, file?.consortium ?? null);
  if (file === null || problems.found.length > 0) throw new ConfigError(problems.found);
  return deepFreeze({ ...own, ...file, fixedSecrets: countFixedSecrets({ ...own, ...file }, copy) });
}

function readQueueAccess(variables: EnvironmentReader) {
  return { redisUrl: variables.required(VARIABLES.redisUrl) ?? NOT_READ };
}

function readServer(variables: EnvironmentReader) {
  return {
    ...readQueueAccess(variables),
    adminPort: variables.plain(VARIABLES.adminPort, 0),
    adminHost: variables.plain(VARIABLES.adminHost, ''),
    shutdownGraceMs: variables.plain(VARIABLES.shutdownGrace, 0),
    logLevel: variables.plain(VARIABLES.logLevel, 'info'),
  };
}

function readKeys(variables: EnvironmentReader): { readonly keys: readonly Secret<Buffer>[] } {
  const keys = variables.required(VARIABLES.keys);
  return { keys: (keys?.reveal() ?? []).map((key) => new Secret(key, keys?.source)) };
}

function readTraced(variables: EnvironmentReader) {
  return {
    ...readKeys(variables),
    ...readServer(variables),
    otlpEndpoint: variables.optional(VARIABLES.otlpEndpoint)?.reveal() ?? null,
  };
}

function checkPorts(name: string, port: number, adminPort: number, { problems }: EnvironmentReader): void {
  if (port !== 0 && port === adminPort) {
    problems.add(['ADMIN_PORT'], `is the same as ${name}`, 'a port of its own');
  }
}

/**
 * The file alone, at `PASSPORT_CONFIG`, with the secrets that a command uses. Throws one ConfigError with every problem.
 */
export function loadConsortium(
  env: NodeJS.ProcessEnv,
  readFile: ReadFile,
  wanted: readonly SecretKind[] = ['koha', 'webhook'],
): Consortium {
  return readBoth(env, { readFile, wanted }, () => ({})).consortium;
}

/** File and environment of the receiver. Throws one ConfigError with every problem of both. */
export function receiverConfig(env: NodeJS.ProcessEnv, readFile: ReadFile): ReceiverConfig {
  return readBoth(env, { readFile, wanted: ['webhook', 'notify'] }, (variables) => {
    const server = readTraced(variables);
    const port = variables.plain(VARIABLES.receiverPort, 0);
    checkPorts('RECEIVER_PORT', port, server.adminPort, variables);
    return {
      ...server,
      port,
      host: variables.plain(VARIABLES.receiverHost, ''),
      trustProxy: variables.plain(VARIABLES.trustProxy, false),
      minReplicas: variables.plain(VARIABLES.minReplicas, 0),
    };
  });
}

/** File and environment of a worker. Throws one ConfigError with every problem of both. */
export function workerConfig(env: NodeJS.ProcessEnv, readFile: ReadFile): WorkerConfig {
  return readBoth(env, { readFile, wanted: ['koha', 'notify'] }, (variables) => ({
    ...readTraced(variables),
    concurrency: variables.plain(VARIABLES.concurrency, 0),
  }));
}

/** File and environment of the dashboard. Throws one ConfigError with every problem of both. */
export function dashboardConfig(env: NodeJS.ProcessEnv, readFile: ReadFile): DashboardConfig {
  return readBoth(env, { readFile, wanted: ['user'] }, (variables, consortium) => {
    const server = readServer(variables);
    const port = variables.plain(VARIABLES.dashboardPort, 0);
    checkPorts('DASHBOARD_PORT', port, server.adminPort, variables);
    const operator = readLogin(variables, [VARIABLES.dashboardUser, VARIABLES.dashboardPassword]);
    const viewer = readViewer(variables, operator);
    checkUserNames(consortium, { DASHBOARD_USER: operator, DASHBOARD_VIEWER_USER: viewer }, variables);
    return {
      ...server,
      port,
      host: variables.plain(VARIABLES.dashboardHost, ''),
      basePath: variables.plain(VARIABLES.dashboardBasePath, ''),
      trustProxy: variables.plain(VARIABLES.trustProxy, false),
      operator,
      viewer,
      proxyLogin: readProxyLogin(variables, consortium),
    };
  });
}

/**
 * What a command that works with the queue needs, with the secrets that it uses. Throws one ConfigError with every problem of file and
 * environment.
 */
export function cliConfig(
  env: NodeJS.ProcessEnv,
  readFile: ReadFile,
  wanted: readonly SecretKind[] = [],
): QueueAccess {
  return readBoth(env, { readFile, wanted }, readQueueAccess);
}

/**
 * What `passport explain` needs: the Kohas, the queue where it counts, and the keys that its audit hashes the card with.
 * Throws one ConfigError.
 */
export function explainConfig(
  env: NodeJS.ProcessEnv,
  readFile: ReadFile,
): QueueAccess & { readonly keys: readonly Secret<Buffer>[] } {
  return readBoth(env, { readFile, wanted: ['koha'] }, (variables) => ({
    ...readQueueAccess(variables),
    ...readKeys(variables),
  }));
}

/** What `passport send` needs: the file, and the receiver's address without a slash at its end. Throws one ConfigError. */
export function senderConfig(
  env: NodeJS.ProcessEnv,
  readFile: ReadFile,
): { readonly consortium: Consortium; readonly receiverUrl: string } {
  return readBoth(env, { readFile, wanted: ['webhook'] }, (variables) => ({
    receiverUrl: variables.plain(VARIABLES.receiverUrl, ''),
  }));
}
