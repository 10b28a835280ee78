import { type MetricsRegistry, createGauge, sharedRead, type Redis } from '@passport/runtime';
import { QUEUE_PREFIX } from '../keys.ts';
import { defineScript } from '../redis/index.ts';

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

/** A script with a key: in a cluster it runs on the one node that has the queue, which INFO alone would not find. */
const INFO_LUA = "return redis.call('INFO')";

/** What the queue's Redis says of itself. Rejects where our user is not allowed to (INFO). */
export async function readRedis(redis: Redis): Promise<RedisReading> {
  const info = defineScript(redis, 'passportInfo', INFO_LUA);
  const facts = new Map<string, string>();
  for (const line of String(await info([`${QUEUE_PREFIX}:info`], [])).split('\r\n')) {
    const [name = '', value] = line.split(':', 2);
    if (value !== undefined) facts.set(name, value);
  }
  const count = (name: string): number | null => {
    const value = facts.get(name);
    return value === undefined ? null : Number(value);
  };
  const aof = facts.get('aof_enabled');
  return {
    version: facts.get('valkey_version') ?? facts.get('redis_version') ?? null,
    memoryUsedBytes: count('used_memory'),
    memoryLimitBytes: count('maxmemory'),
    policy: facts.get('maxmemory_policy') ?? null,
    keepsAof: aof === undefined ? null : aof === '1',
    replicas: count('connected_slaves'),
  };
}
