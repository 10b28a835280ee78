import type { WorkerConfig } from '@passport/config';
import {
  type Lifecycle,
  type Logger,
  type Redis,
  type RedisClock,
  closeRedis,
  createRedis,
  createRedisClock,
  untilRedisReady,
} from '@passport/runtime';
import { CLOCK_KEY, type FetchTimings, type FetchWatch, startFetchWatch } from '@passport/queue';
import type { Sources } from './sources.ts';

const RETRY_EVERY_MS = 100;

/** The worker's two connections, what knows whether its queues bring jobs, and the clock that all processes agree on. */
export interface RedisConnections {
  /** BullMQ's own: commands wait until Redis is back. */
  readonly connection: Redis;
  /** For our own keys: a command that cannot be done now fails now. */
  readonly redis: Redis;
  readonly clock: RedisClock;
  readonly fetches: FetchWatch;
}

/** Opens both connections and returns at once. Where no jobs come for too long, the process ends. */
export function openRedis(
  config: Pick<WorkerConfig, 'redisUrl'>,
  { monotonicNow }: Sources,
  timings: FetchTimings,
  lifecycle: Lifecycle,
  log: Logger,
): RedisConnections {
  const url = config.redisUrl.reveal();
  const connection = createRedis(url, { role: 'worker', log, name: 'worker' });
  lifecycle.own('connection', () => closeRedis(connection));
  const redis = createRedis(url, { role: 'producer', log, name: 'worker-keys' });
  lifecycle.own('redis', () => closeRedis(redis));
  const clock = createRedisClock(redis, CLOCK_KEY, monotonicNow, { log });
  lifecycle.own('clock', () => clock.close());
  const onOver = (): void => lifecycle.giveUp('no jobs could be fetched');
  const fetches = startFetchWatch({ timings, monotonicNow, onOver, log });
  lifecycle.own('watch of fetches', () => fetches.close());
  return { connection, redis, clock, fetches };
}

/**
 * Resolves once Redis has answered with the time, or when the process stops. A worker has nobody to answer to: it
 * waits as long as it takes, and is not ready meanwhile.
 */
export async function untilRedisAnswers(
  { connection, redis, clock }: RedisConnections,
  lifecycle: Lifecycle,
  pause: Sources['pause'],
): Promise<void> {
  while (!lifecycle.stopping) {
    try {
      await untilRedisReady(connection, 1_000);
      await untilRedisReady(redis, 1_000);
      await clock.start();
      return;
    } catch {
      await pause(RETRY_EVERY_MS);
    }
  }
}
