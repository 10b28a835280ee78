import type { Redis } from '@passport/runtime';
import { jobKey } from './keys.ts';

/**
 * The mark of an event that its library has cancelled. It is BullMQ's own `progress` of the job, which nothing else uses: BullMQ
 * hands it over with the job, keeps it as long as the job, and no write of the job's data takes it away.
 */
export const CANCELLED = 'cancelled';
const STORED = JSON.stringify(CANCELLED);

/** Lua: `isCancelled(job key)`, and `markCancelled(job key)`. Parts of other scripts. */
export const IS_CANCELLED_LUA = `
local function isCancelled(job) return redis.call('HGET', job, 'progress') == '${STORED}' end
`;
export const MARK_CANCELLED_LUA = `
local function markCancelled(job) redis.call('HSET', job, 'progress', '${STORED}') end
`;

/** Whether the job's event had been cancelled when the job was read. */
export const wasCancelled = ({ progress }: { readonly progress: unknown }): boolean => progress === CANCELLED;

/** Whether the job's event is cancelled by now. */
export async function readCancelled(redis: Redis, jobId: string): Promise<boolean> {
  return (await redis.hget(jobKey(jobId), 'progress')) === STORED;
}
