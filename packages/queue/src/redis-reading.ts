import type { Redis } from '@passport/runtime';
import { QUEUE_PREFIX } from './keys.ts';
import { defineScript } from './script.ts';

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
