import { createHash } from 'node:crypto';
import { dirname, resolve } from 'node:path';
import { readConsortium, readUnfinished } from '../file/parse-consortium.ts';
import { ConfigError, type ConfigProblem, ProblemList, describeProblem } from '../problems/config-error.ts';
import type { Consortium } from '../schema/consortium-schema.ts';
import { deepFreeze } from '../keys/frozen.ts';
import { SECRET_KINDS, Secret, type SecretKind } from '../secrets/secret.ts';
import { EnvironmentReader } from './environment-reader.ts';
import { VARIABLES } from './environment-variables.ts';
import { cardOverlaps } from '../file/card-overlaps.ts';
import { checkUserNames, readLogin, readProxyLogin, readViewer } from './read-logins.ts';

type ReadFile = (path: string) => string;

/** What each process takes of the file. */
interface OfFile {
  /** With the secrets that the process uses; the others are empty. */
  readonly consortium: Consortium;
  /** Which file this is: the first twelve digits of what `sha256sum` says of it. */
  readonly fileHash: string;
  /** How many secrets no reload renews: they are those of the start of the process. */
  readonly fixedSecrets: number;
}

const NOT_READ = new Secret('');
const HASH_DIGITS = 12;

const hashOf = (text: string): string =>
  createHash('sha256').update(text).digest('hex').slice(0, HASH_DIGITS);

function readFileOf(
  variables: EnvironmentReader,
  env: NodeJS.ProcessEnv,
  readFile: ReadFile,
  wanted: readonly SecretKind[],
): Omit<OfFile, 'fixedSecrets'> | null {
  const path = variables.required(VARIABLES.config)?.reveal();
  if (path === undefined) return null;
  let text: string;
  try {
    text = readFile(path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    const what = `the file ${path} cannot be read (${code})`;
    variables.problems.add(['PASSPORT_CONFIG'], what, 'the path of a YAML file');
    return null;
  }
  const { consortium, problems } = readConsortium(text, { env, readFile }, wanted);
  variables.problems.include(problems);
  return { consortium, fileHash: hashOf(text) };
}

/**
 * How many secrets of a configuration stay what they were when the process started, whatever a reload reads: those of variables, and
 * those of files that systemd has copied for the process (`LoadCredential=`).
 */
function countFixedSecrets(
  // No reload opens another connection to Redis, wherever its address comes from.
  { redisUrl: _none, ...config }: Readonly<Record<string, unknown>>,
  { CREDENTIALS_DIRECTORY: copies = '' }: NodeJS.ProcessEnv,
): number {
  const fixed = new Set<string>();
  const seen = new Set<object>();
  const walk = (value: unknown): void => {
    if (typeof value !== 'object' || value === null || seen.has(value)) return;
    seen.add(value);
    if (value instanceof Secret) {
      const { source } = value;
      if (source.startsWith('env ') || (copies !== '' && source.startsWith(`file ${copies}/`)))
        fixed.add(source);
    } else Object.values(value).forEach(walk);
  };
  walk(config);
  return fixed.size;
}

/**
 * Reads file and environment together, so that one ConfigError lists all that is wrong with both. `wanted` are the secrets of
 * libraries that the process uses: it needs no others, and must not hold them.
 */
function readBoth<T>(
  env: NodeJS.ProcessEnv,
  readFile: ReadFile,
  wanted: readonly SecretKind[],
  readEnvironment: (variables: EnvironmentReader, consortium: Consortium | null) => T,
): Readonly<T> & OfFile {
  const problems = new ProblemList();
  // Node looks a variable up by going through all of them: with those of a thousand libraries, for seconds.
  const copy = { ...env };
  const variables = new EnvironmentReader({ env: copy, readFile }, problems);
  const file = readFileOf(variables, copy, readFile, wanted);
  const own = readEnvironment(variables, file?.consortium ?? null);
  if (file === null || problems.found.length > 0) throw new ConfigError(problems.found);
  const config = { ...own, ...file, fixedSecrets: countFixedSecrets({ ...own, ...file }, copy) };
  deepFreeze(config);
  return config;
}

function readQueueAccess(variables: EnvironmentReader) {
  return { redisUrl: variables.required(VARIABLES.redisUrl) ?? NOT_READ };
}

function readServer(variables: EnvironmentReader) {
  return {
    ...readQueueAccess(variables),
    adminPort: variables.plain(VARIABLES.adminPort),
    adminHost: variables.plain(VARIABLES.adminHost),
    shutdownGraceMs: variables.plain(VARIABLES.shutdownGrace),
    logLevel: variables.plain(VARIABLES.logLevel),
  };
}

/** The first key encrypts, all decrypt; 32 bytes each. */
function readKeys(variables: EnvironmentReader): { readonly keys: readonly Secret<Buffer>[] } {
  const keys = variables.required(VARIABLES.keys);
  return { keys: (keys?.reveal() ?? []).map((key) => new Secret(key, keys?.source)) };
}

/** Of the processes that a scan passes through. */
function readTraced(variables: EnvironmentReader) {
  return {
    ...readKeys(variables),
    ...readServer(variables),
    /** Where traces go; null: none are made. */
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
  return readBoth(env, readFile, wanted, () => ({})).consortium;
}

/** File and environment of the receiver. Throws one ConfigError with every problem of both. */
export function receiverConfig(env: NodeJS.ProcessEnv, readFile: ReadFile) {
  return readBoth(env, readFile, ['webhook', 'notify'], (variables) => {
    const server = readTraced(variables);
    const port = variables.plain(VARIABLES.receiverPort);
    checkPorts('RECEIVER_PORT', port, server.adminPort, variables);
    return {
      ...server,
      port,
      host: variables.plain(VARIABLES.receiverHost),
      trustProxy: variables.plain(VARIABLES.trustProxy),
      minReplicas: variables.plain(VARIABLES.minReplicas),
    };
  });
}

/** File and environment of a worker. Throws one ConfigError with every problem of both. */
export function workerConfig(env: NodeJS.ProcessEnv, readFile: ReadFile) {
  return readBoth(env, readFile, ['koha', 'notify'], (variables) => ({
    ...readTraced(variables),
    concurrency: variables.plain(VARIABLES.concurrency),
  }));
}

/** File and environment of the dashboard. Throws one ConfigError with every problem of both. */
export function dashboardConfig(env: NodeJS.ProcessEnv, readFile: ReadFile) {
  return readBoth(env, readFile, ['user'], (variables, consortium) => {
    const server = readServer(variables);
    const port = variables.plain(VARIABLES.dashboardPort);
    checkPorts('DASHBOARD_PORT', port, server.adminPort, variables);
    const operator = readLogin(variables, VARIABLES.dashboardUser, VARIABLES.dashboardPassword);
    const viewer = readViewer(variables, operator);
    const names = { DASHBOARD_USER: operator.user, DASHBOARD_VIEWER_USER: viewer?.user ?? '' };
    checkUserNames(consortium, names, variables);
    return {
      ...server,
      port,
      host: variables.plain(VARIABLES.dashboardHost),
      /** '' or a path such as `/passport`, without a slash at its end. */
      basePath: variables.plain(VARIABLES.dashboardBasePath),
      trustProxy: variables.plain(VARIABLES.trustProxy),
      operator,
      /** Null: nobody who may only look. */
      viewer,
      /** Null: no proxy logs anybody in. */
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
  return readBoth(env, readFile, wanted, readQueueAccess);
}

/**
 * The same for a command that changes no Koha: a file that is being edited does not stop it. `problems` are what is wrong with the file;
 * the consortium is what can be read of it then. Throws ConfigError where the environment is wrong, or the file is not there.
 */
export function queueConfig(
  env: NodeJS.ProcessEnv,
  readFile: ReadFile,
): QueueAccess & { readonly problems: readonly ConfigProblem[] } {
  try {
    return { ...cliConfig(env, readFile), problems: [] };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return unfinishedConfig(env, readFile, error);
  }
}

function unfinishedConfig(env: NodeJS.ProcessEnv, readFile: ReadFile, error: ConfigError) {
  const variables = new EnvironmentReader({ env, readFile }, new ProblemList());
  const path = variables.optional(VARIABLES.config)?.reveal();
  const redisUrl = variables.optional(VARIABLES.redisUrl);
  if (
    path === undefined ||
    redisUrl === null ||
    error.problems.some(({ path: at }) => at === 'PASSPORT_CONFIG')
  )
    throw error;
  const text = readFile(path);
  const { problems } = error;
  return { redisUrl, consortium: readUnfinished(text), fileHash: hashOf(text), fixedSecrets: 0, problems };
}

/**
 * What `passport explain` needs: the Kohas, the queue where it counts, and the keys that its audit hashes the card with.
 * Throws one ConfigError.
 */
export function explainConfig(env: NodeJS.ProcessEnv, readFile: ReadFile) {
  return readBoth(env, readFile, ['koha'], (variables) => ({
    ...readQueueAccess(variables),
    ...readKeys(variables),
  }));
}

/**
 * What the commands need that let libraries join: the queue, the keys that invitations are encrypted with, the text of the file and where it and the
 * secrets of libraries are. Throws one ConfigError.
 */
export function joinConfig(env: NodeJS.ProcessEnv, readFile: ReadFile) {
  return readBoth(env, readFile, [], (variables) => {
    const path = variables.plain(VARIABLES.config);
    const secrets = variables.optional(VARIABLES.secrets)?.reveal() ?? resolve(dirname(path), 'secrets');
    return { ...readQueueAccess(variables), ...readKeys(variables), path, secrets };
  });
}

/** What `passport send` needs: the file, and the receiver's address without a slash at its end. Throws one ConfigError. */
export function senderConfig(env: NodeJS.ProcessEnv, readFile: ReadFile) {
  return readBoth(env, readFile, ['webhook'], (variables) => ({
    receiverUrl: variables.plain(VARIABLES.receiverUrl),
  }));
}

const readService = (variables: EnvironmentReader, consortium: Consortium | null) => ({
  /** Without a slash at its end: where Kohas reach it, unless it is to be another one. */
  receiverUrl:
    (variables.isSet(VARIABLES.receiverUrl) ? null : consortium?.public.receiver) ??
    variables.plain(VARIABLES.receiverUrl),
  /** Null: REDIS_URL is not set, and the queue is not examined. */
  redisUrl: variables.optional(VARIABLES.redisUrl),
});

/** What `passport doctor` examines the service with. Throws one ConfigError. */
export function doctorConfig(env: NodeJS.ProcessEnv, readFile: ReadFile) {
  return readBoth(env, readFile, ['koha', 'webhook', 'notify'], readService);
}

/** The same for `passport rehearse`, and the password that it speaks SIP with, where there is one. Throws one ConfigError. */
export function rehearsalConfig(env: NodeJS.ProcessEnv, readFile: ReadFile) {
  return readBoth(env, readFile, ['koha', 'webhook', 'notify'], (variables, consortium) => ({
    ...readService(variables, consortium),
    sipPassword: variables.optional(VARIABLES.sipPassword),
  }));
}

/**
 * The file with the secrets of all processes: what any of them would refuse in it is refused here, and patterns that fit cards of another
 * library, with which a process that has them already starts all the same. Of their environments it takes only
 * what decides about the file. Throws one ConfigError with every problem.
 */
export function checkedFile(env: NodeJS.ProcessEnv, readFile: ReadFile) {
  return readBoth(env, readFile, SECRET_KINDS, (variables, consortium) => {
    for (const { path, problem } of consortium === null ? [] : cardOverlaps(consortium))
      variables.problems.add(
        path,
        problem,
        'patterns that keep apart, or cards_shared_with in the entries of both',
      );
    const isDashboardHere = variables.isSet(VARIABLES.dashboardUser);
    if (isDashboardHere) {
      const names = {
        DASHBOARD_USER: variables.optional(VARIABLES.dashboardUser)?.reveal() ?? '',
        DASHBOARD_VIEWER_USER: variables.optional(VARIABLES.viewerUser)?.reveal() ?? '',
      };
      checkUserNames(consortium, names, variables);
      readProxyLogin(variables, consortium);
    }
    /** `users` were compared with the dashboard's own logins, and with whether a proxy logs anybody in: its environment is here. */
    return { isDashboardHere };
  });
}

/**
 * Reads a configuration that is to take the place of another one: a wrong one is no exception then, and its problems are said
 * without values.
 */
export function tryConfig<T>(
  read: () => T,
): { readonly kind: 'read'; readonly config: T } | { readonly kind: 'refused'; readonly problems: string[] } {
  try {
    return { kind: 'read', config: read() };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { kind: 'refused', problems: error.problems.map(describeProblem) };
  }
}

/** What every command that works with the queue needs. */
export interface QueueAccess extends OfFile {
  readonly redisUrl: Secret<string>;
}
export type ReceiverConfig = ReturnType<typeof receiverConfig>;
export type WorkerConfig = ReturnType<typeof workerConfig>;
export type DashboardConfig = ReturnType<typeof dashboardConfig>;
export type DoctorConfig = ReturnType<typeof doctorConfig>;
export type JoinConfig = ReturnType<typeof joinConfig>;
export type CheckedFile = ReturnType<typeof checkedFile>;
