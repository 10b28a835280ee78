import {
  type Consortium,
  ConfigError,
  type QueueAccess,
  describeProblem,
  queueConfig,
} from '@passport/config';
import { CLOCK_KEY } from '@passport/queue/keys';
import { type ScanJobs, openScanQueue } from '@passport/queue/scans';
import {
  type Redis,
  closeRedis,
  createLogger,
  createRedis,
  DeadlineError,
  readRedisTime,
  translateRedisError,
  untilRedisReady,
} from '@passport/runtime';
import { type CliDeps, Failure } from '../program/index.ts';

const CONNECT_MS = 5_000;

/** The queue, as a command works with it. */
export interface OpenQueue {
  readonly consortium: Consortium;
  readonly fileHash: string;
  readonly redis: Redis;
  readonly queue: ScanJobs;
  /** A library's name as staff know it. */
  readonly nameOf: (id: string) => string;
  /** Milliseconds by Redis's clock, which the jobs are dated by. */
  readonly now: () => Promise<number>;
}

/** What a failure of Redis means to the person; bugs are thrown on. */
function failureOf(error: unknown): Error {
  if (error instanceof DeadlineError)
    return new Failure('Redis does not answer at REDIS_URL', { code: 'redis' });
  const { kind, message } = translateRedisError(error);
  if (kind !== 'bug') return new Failure(message, { code: 'redis' });
  return error instanceof Error ? error : new Error(message);
}

/**
 * Opens the queue for one piece of work, and closes it. A file that is being edited stops nothing here: what changes a Koha reads it
 * whole before. Throws Failure when Redis cannot be used, ConfigError before that.
 */
export async function withQueue<T>(
  { env, readFile, err }: Pick<CliDeps, 'env' | 'readFile' | 'err'>,
  work: (open: OpenQueue) => Promise<T>,
): Promise<T> {
  const config = queueConfig(env, readFile);
  const [first, ...others] = config.problems;
  if (first !== undefined) {
    const count = others.length === 0 ? '1 problem' : `${others.length + 1} problems`;
    err(
      `the configuration has ${count}, and this command goes on without: ${describeProblem(first)} ` +
        '(passport config check lists all)\n',
    );
  }
  return withQueueOf(config, work);
}

/** The same for work that needs the queue only sometimes: it gets null where it does not. */
export const withQueueIf = <T>(
  isNeeded: boolean,
  deps: CliDeps,
  work: (open: OpenQueue | null) => Promise<T>,
): Promise<T> => (isNeeded ? withQueue(deps, work) : work(null));

/** The same for work that can do without: it gets null where Redis is not configured, or cannot be used. */
export async function perhapsWithQueue<T>(
  deps: CliDeps,
  work: (open: OpenQueue | null) => Promise<T>,
): Promise<T> {
  let isOpen = false;
  try {
    return await withQueue(deps, (open) => {
      isOpen = true;
      return work(open);
    });
  } catch (error) {
    if (isOpen || !(error instanceof Failure || error instanceof ConfigError)) throw error;
    return work(null);
  }
}

/** The same with a configuration that was read before. */
export async function withQueueOf<T>(
  { consortium, redisUrl, fileHash }: Omit<QueueAccess, 'fixedSecrets'>,
  work: (open: OpenQueue) => Promise<T>,
): Promise<T> {
  const log = createLogger({ name: 'cli', level: 'silent' });
  const names = new Map(consortium.libraries.map(({ id, name }) => [id, name]));
  let redis: Redis | null = null;
  let queue: ScanJobs | null = null;
  try {
    redis = createRedis(redisUrl.reveal(), { role: 'reader', log, name: 'cli' });
    await untilRedisReady(redis, CONNECT_MS);
    queue = openScanQueue(redis);
    const connection = redis;
    const now = async (): Promise<number> => Math.floor(await readRedisTime(connection, CLOCK_KEY));
    return await work({ consortium, fileHash, redis, queue, nameOf: (id) => names.get(id) ?? id, now });
  } catch (error) {
    if (error instanceof Failure || (error instanceof Error && error.name === 'WrongUse')) throw error;
    throw failureOf(error);
  } finally {
    await queue?.close().catch(() => undefined);
    if (redis !== null) await closeRedis(redis);
  }
}
