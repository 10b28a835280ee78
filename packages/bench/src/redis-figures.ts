import { setTimeout as sleep } from 'node:timers/promises';
import type { StartedRedis } from '@passport/testkit';

const PATIENCE_MS = 120_000;
const LOOK_EVERY_MS = 1_500;
const SAMPLE = 200;
/** Of a key that ends: its entries in Redis' two tables, which MEMORY USAGE leaves out. */
const TABLE_BYTES = 48;

/** All memory that Redis uses for data. */
export async function usedBytes(redis: StartedRedis): Promise<number> {
  const info = String(await redis.call('INFO', 'memory'));
  return Number(/used_memory:(\d+)/.exec(info)?.[1] ?? Number.NaN);
}

/** Waits until retention has taken what it takes, that is until so many looks see no less memory, and returns it. */
export async function settledUsedBytes(redis: StartedRedis, looks: number): Promise<number> {
  const end = performance.now() + PATIENCE_MS;
  let least = await usedBytes(redis);
  for (let still = 0; still < looks && performance.now() < end;) {
    await sleep(LOOK_EVERY_MS);
    const now = await usedBytes(redis);
    still = now < least * 0.999 ? 0 : still + 1;
    least = Math.min(least, now);
  }
  return least;
}

/** Mean memory of the keys that fit a pattern, of a sample of them. */
export async function meanKeyBytes(redis: StartedRedis, pattern: string): Promise<number> {
  const keys: string[] = [];
  let cursor = '0';
  do {
    const scan = ['SCAN', cursor, 'MATCH', pattern, 'COUNT', '1000'] as const;
    const [next, found] = (await redis.call(...scan)) as readonly [string, readonly string[]];
    cursor = next;
    keys.push(...found);
  } while (cursor !== '0' && keys.length < SAMPLE);
  let bytes = 0;
  for (const key of keys) bytes += TABLE_BYTES + (await keyBytes(redis, key));
  return bytes / keys.length;
}

/** Memory of one key, all its elements counted. */
export async function keyBytes(redis: StartedRedis, key: string): Promise<number> {
  return Number(await redis.call('MEMORY', 'USAGE', key, 'SAMPLES', '0'));
}
