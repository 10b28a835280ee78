import type { Redis } from '@passport/runtime';
import { activeKey } from './keys.ts';

/** The lending libraries whose scans some worker works on now, by BullMQ's own list: nothing is written for it. */
export async function librariesWithActiveScans(redis: Redis): Promise<ReadonlySet<string>> {
  const jobIds = await redis.lrange(activeKey, 0, -1);
  return new Set(jobIds.map((jobId) => jobId.split('.')[0] ?? ''));
}
