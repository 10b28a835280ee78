import { type MetricsRegistry, createGauge, sharedRead } from '@passport/runtime';
import type { RedisReading } from './redis-reading.ts';

const READ_MS = 1_500;

/**
 * `passport_redis_memory_used_bytes`, `passport_redis_memory_limit_bytes`, `passport_redis_replicas` and
 * `passport_redis_info{version,policy,aof}`, read at each scrape, so that alerts need no exporter for Redis. A figure that
 * Redis does not report (a managed one may not) is absent. `minReplicas` is REDIS_MIN_REPLICAS, 0 where a process waits
 * for none.
 */
export function redisMetrics(
  registry: MetricsRegistry,
  read: () => Promise<RedisReading>,
  minReplicas = 0,
): void {
  const readOnce = sharedRead(READ_MS, read, 'reading of Redis');
  const figure = (name: string, help: string, of: (reading: RedisReading) => number | null): void =>
    createGauge(registry, { name, help }, async () => {
      const reading = await readOnce();
      const value = reading === null ? null : of(reading);
      return value === null ? [] : [[{}, value]];
    });
  figure('passport_redis_memory_used_bytes', 'Memory that Redis uses', (redis) => redis.memoryUsedBytes);
  figure(
    'passport_redis_memory_limit_bytes',
    'Memory that Redis may use (0: no limit)',
    (redis) => redis.memoryLimitBytes,
  );
  figure('passport_redis_replicas', 'Replicas that follow Redis', (redis) => redis.replicas);
  createGauge(
    registry,
    {
      name: 'passport_redis_min_replicas',
      help: 'Replicas that must have an event before it is acknowledged (REDIS_MIN_REPLICAS)',
    },
    () => [[{}, minReplicas]],
  );
  createGauge(
    registry,
    {
      name: 'passport_redis_info',
      help: 'Version, eviction policy and append-only file of Redis (always 1)',
      labels: ['version', 'policy', 'aof'],
    },
    async () => {
      const reading = await readOnce();
      if (reading === null) return [];
      const { version, policy, keepsAof } = reading;
      const aof = keepsAof === null ? '' : keepsAof ? 'yes' : 'no';
      return [[{ version: version ?? '', policy: policy ?? '', aof }, 1]];
    },
  );
}
