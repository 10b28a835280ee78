import type { Redis, RedisReading } from '@passport/runtime';
import { QUEUE_PREFIX } from './keys.ts';
import { defineScript } from './script.ts';

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
