import type { Redis } from '@passport/runtime';
import { idempotencyKey } from './keys.ts';

/** The event that a `webhook-id` stands for: itself, or the first event of the double scan that it belongs to. */
export async function resolveEventId(redis: Redis, library: string, eventId: string): Promise<string> {
  const record = await redis.get(idempotencyKey(library, eventId));
  return record?.split(' ')[2] ?? eventId;
}
