import { Redis } from 'ioredis';

/** Every key of a Redis with its value, as text and as Redis would store it. */
export async function dumpRedis(url: string): Promise<{ keys: number; names: string[]; text: string }> {
  const redis = new Redis(url);
  try {
    const parts: string[] = [];
    const names: string[] = [];
    for await (const batch of redis.scanStream({ count: 500 })) {
      for (const key of batch as string[]) {
        names.push(key);
        const dump = await redis.dumpBuffer(key);
        parts.push(key, dump?.toString('latin1') ?? '', JSON.stringify(await readValue(redis, key)));
      }
    }
    return { keys: names.length, names, text: parts.join('\n') };
  } finally {
    redis.disconnect();
  }
}

async function readValue(redis: Redis, key: string): Promise<unknown> {
  switch (await redis.type(key)) {
    case 'string':
      return redis.get(key);
    case 'hash':
      return redis.hgetall(key);
    case 'list':
      return redis.lrange(key, 0, -1);
    case 'set':
      return redis.smembers(key);
    case 'zset':
      return redis.zrange(key, '0', '-1', 'WITHSCORES');
    case 'stream':
      return redis.xrange(key, '-', '+');
    default:
      return null;
  }
}
