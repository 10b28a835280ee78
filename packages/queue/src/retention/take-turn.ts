import type { Redis } from '@passport/runtime';
import { turnKey } from '../keys.ts';

/** Rounds of one process are never quite so far apart. */
const JITTER_MS = 500;

/** Whether this process is the one that does `task` now, of all that ask every `everyMs`. One that dies of it costs one round. */
export async function takeTurn(redis: Redis, task: string, everyMs: number): Promise<boolean> {
  return (await redis.set(turnKey(task), '', 'PX', everyMs - JITTER_MS, 'NX')) === 'OK';
}
