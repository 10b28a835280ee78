import type { Redis } from '@passport/runtime';
import { guardKey } from './keys.ts';

/** The event that a `webhook-id` stands for: itself, or the first event of the double scan that it joined. */
export async function followEvent(redis: Redis, library: string, eventId: string): Promise<string> {
  const guard = await redis.get(guardKey(library, eventId));
  return guard?.split(' ')[2] ?? eventId;
}
