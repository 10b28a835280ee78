import { type RedisTarget, parseRedisUrl } from '@passport/contract';
import { Cluster, Redis as Single, type ClusterOptions, type RedisOptions } from 'ioredis';
import { within } from './deadline.ts';
import type { Logger } from './logger.ts';
import { logRedisOutages } from './redis-outages.ts';

/** A connection to Redis, of whatever shape `REDIS_URL` has. */
export type Redis = Single | Cluster;

/**
 * What a connection is for. `producer` fails at once when Redis is away, so that the caller can answer;
 * `reader` (dashboard, commands, clocks) waits for a few seconds; `worker` waits for ever, as BullMQ wants it.
 */
export type RedisRole = 'producer' | 'reader' | 'worker';

type CommonOptions = Pick<
  RedisOptions,
  | 'connectionName'
  | 'connectTimeout'
  | 'disconnectTimeout'
  | 'keepAlive'
  | 'socketTimeout'
  | 'maxRetriesPerRequest'
  | 'reconnectOnError'
  | 'username'
  | 'password'
  | 'tls'
>;

const RETRY_STEP_MS = 100;
const RETRY_MOST_MS = 1_000;
const SLOTS_TIMEOUT_MS = 5_000;

/**
 * A connection on which a command has waited this long is dead (half-open) and is made again, and so is one that was taken and
 * then never answered; the system's keep-alive takes minutes. This, and not ioredis's `failoverDetector`, is what
 * leaves a master that a Sentinel has replaced: the detector can end the client for good when Sentinel's message
 * comes while it connects ("Connection is closed", seen with ioredis 6.0.0 and a killed master).
 */
const SILENCE_MS: Readonly<Record<RedisRole, number>> = { producer: 5_000, reader: 10_000, worker: 10_000 };
/** BullMQ blocks for up to 10 s, on duplicates of a worker's connection. */
const BLOCKING_SILENCE_MS = 15_000;

/** ioredis's own back-off grows to 20 s: a worker would sleep through a restart that took two. */
const retryDelayMs = (times: number) => Math.min(times * RETRY_STEP_MS, RETRY_MOST_MS);

/** After a failover the old master says READONLY: connect again and send the command once more (64 ms, not 11 s). */
const reconnectOnReadonly = (error: Error) => (error.message.includes('READONLY') ? 2 : false);

/**
 * Opens a connection to the Redis of a URL (forms: see {@link parseRedisUrl}) and returns at once; use
 * {@link untilRedisReady} before relying on it. An outage is logged once when it begins and once when it ends,
 * without arguments of commands; so are those of its duplicates, which BullMQ makes to block on. Throws RedisUrlError.
 */
export function createRedis(url: string, options: { role: RedisRole; log: Logger; name: string }): Redis {
  const redis = open(parseRedisUrl(url), options.role, options.name);
  logRedisOutages(redis, options.log, options.name);
  logDuplicates(redis, options.log, `${options.name}-blocking`);
  return redis;
}

/** Whether Redis answers on this connection now. Rejects, or waits, where it does not: for a deadline of the caller's. */
export async function answersNow(redis: Redis): Promise<boolean> {
  return redis.status === 'ready' && (await redis.ping()) === 'PONG';
}

/** Resolves once Redis has answered on this connection; rejects with DeadlineError after `ms`. */
export async function untilRedisReady(redis: Redis, ms: number): Promise<void> {
  if (redis.status === 'ready') return;
  let onReady: () => void = () => undefined;
  const ready = new Promise<void>((resolve) => {
    onReady = resolve;
    redis.once('ready', resolve);
  });
  try {
    await within(ms, ready, 'connecting to Redis');
  } finally {
    redis.off('ready', onReady);
  }
}

/** Says goodbye and closes; cuts the connection when Redis does not answer within `ms`. Never throws. */
export async function closeRedis(redis: Redis, ms = 500): Promise<void> {
  if (redis.status === 'ready') await within(ms, redis.quit(), 'closing Redis').catch(() => undefined);
  const waiting = redis.status === 'reconnecting' || redis.status === 'end';
  const ended = new Promise<void>((resolve) => redis.once('end', resolve));
  redis.disconnect();
  const nodes = redis instanceof Cluster ? redis.nodes() : [redis];
  for (const node of nodes) node.stream?.destroy();
  // Between two attempts to connect there is nothing to end, and ioredis never says that it has.
  if (!waiting) await within(ms, ended, 'closing Redis').catch(() => undefined);
}

function logDuplicates(redis: Redis, log: Logger, name: string): void {
  const logged = <T extends Redis>(duplicate: T): T => {
    logRedisOutages(duplicate, log, name);
    return duplicate;
  };
  const socketTimeout = BLOCKING_SILENCE_MS;
  if (redis instanceof Cluster) {
    const duplicate = redis.duplicate.bind(redis);
    redis.duplicate = (nodes, options) =>
      logged(duplicate(nodes, { ...options, redisOptions: { ...options?.redisOptions, socketTimeout } }));
  } else {
    const duplicate = redis.duplicate.bind(redis);
    redis.duplicate = (options) => logged(duplicate({ ...options, socketTimeout }));
  }
}

function open(target: RedisTarget, role: RedisRole, name: string): Redis {
  const common = commonOptions(target, role, name);
  switch (target.kind) {
    case 'single':
      return new Single({ ...common, ...singleOptions(role), ...target.node, db: target.db });
    case 'sentinel':
      return new Single({
        ...common,
        ...singleOptions(role),
        sentinels: [...target.nodes],
        name: target.name,
        db: target.db,
        sentinelRetryStrategy: retryDelayMs,
        sentinelCommandTimeout: 2_000,
        ...(target.sentinelPassword === null ? {} : { sentinelPassword: target.sentinelPassword }),
        ...(target.tls ? { enableTLSForSentinelMode: true, sentinelTLS: {} } : {}),
      });
    case 'cluster':
      return new Cluster([...target.nodes], clusterOptions(target, role, common));
  }
}

function commonOptions(target: RedisTarget, role: RedisRole, name: string): CommonOptions {
  return {
    connectionName: `passport-${name}`,
    connectTimeout: 5_000,
    disconnectTimeout: 500,
    keepAlive: 10_000,
    socketTimeout: SILENCE_MS[role],
    maxRetriesPerRequest: role === 'worker' ? null : role === 'producer' ? 1 : 5,
    reconnectOnError: reconnectOnReadonly,
    ...(target.username === null ? {} : { username: target.username }),
    ...(target.password === null ? {} : { password: target.password }),
    ...(target.tls ? { tls: {} } : {}),
  };
}

function singleOptions(role: RedisRole): Pick<RedisOptions, 'retryStrategy' | 'enableOfflineQueue'> {
  return { retryStrategy: retryDelayMs, enableOfflineQueue: role !== 'producer' };
}

/** Managed clusters return host names whose certificates do not fit their addresses: resolve late, by name. */
function clusterOptions(
  target: RedisTarget,
  role: RedisRole,
  redisOptions: CommonOptions,
): Omit<ClusterOptions, 'redisOptions'> & { redisOptions: CommonOptions } {
  return {
    enableOfflineQueue: role !== 'producer',
    clusterRetryStrategy: retryDelayMs,
    slotsRefreshTimeout: SLOTS_TIMEOUT_MS,
    redisOptions,
    ...(target.tls ? { dnsLookup: (host, done) => done(null, host) } : {}),
  };
}
