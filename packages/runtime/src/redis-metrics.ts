import { Gauge } from 'prom-client';
import type { MetricsRegistry } from './metrics.ts';
import { sharedRead } from './shared-read.ts';

/** What Redis says of itself; what it does not say is null. */
export interface RedisReading {
  readonly version: string | null;
  readonly memoryUsedBytes: number | null;
  /** 0: as much as the machine has. */
  readonly memoryLimitBytes: number | null;
  /** What Redis does when it is full: `noeviction` is the only safe policy for a queue. */
  readonly policy: string | null;
  /** Whether it keeps an append-only file. */
  readonly keepsAof: boolean | null;
  readonly replicas: number | null;
}

const READ_MS = 1_500;

/**
 * `passport_redis_memory_used_bytes`, `passport_redis_memory_limit_bytes`, `passport_redis_replicas` and
 * `passport_redis_info{version,policy,aof}`, read at each scrape, so that alerts need no exporter for Redis. A
 * figure that Redis does not report (a managed one may not) is absent. `minReplicas` is REDIS_MIN_REPLICAS, 0 where a
 * process waits for none.
 */
export function redisMetrics(
  registry: MetricsRegistry,
  read: () => Promise<RedisReading>,
  minReplicas = 0,
): void {
  const readOnce = sharedRead(READ_MS, read, 'reading of Redis');
  const figure = (name: string, help: string, of: (reading: RedisReading) => number | null): void => {
    new Gauge({
      name,
      help,
      registers: [registry],
      async collect() {
        this.remove();
        const reading = await readOnce();
        const value = reading === null ? null : of(reading);
        if (value !== null) this.set(value);
      },
    });
  };
  figure('passport_redis_memory_used_bytes', 'Memory that Redis uses', (redis) => redis.memoryUsedBytes);
  figure(
    'passport_redis_memory_limit_bytes',
    'Memory that Redis may use (0: no limit)',
    (redis) => redis.memoryLimitBytes,
  );
  figure('passport_redis_replicas', 'Replicas that follow Redis', (redis) => redis.replicas);
  new Gauge({
    name: 'passport_redis_min_replicas',
    help: 'Replicas that must have an event before it is acknowledged (REDIS_MIN_REPLICAS)',
    registers: [registry],
  }).set(minReplicas);
  new Gauge({
    name: 'passport_redis_info',
    help: 'Version, eviction policy and append-only file of Redis (always 1)',
    labelNames: ['version', 'policy', 'aof'],
    registers: [registry],
    async collect() {
      this.reset();
      const reading = await readOnce();
      if (reading === null) return;
      const { version, policy, keepsAof } = reading;
      const aof = keepsAof === null ? '' : keepsAof ? 'yes' : 'no';
      this.set({ version: version ?? '', policy: policy ?? '', aof }, 1);
    },
  });
}
