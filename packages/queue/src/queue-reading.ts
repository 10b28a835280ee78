import type { Redis } from '@passport/runtime';
import { STALE_LUA } from './backlog-script.ts';
import { backlogKey, jobIdOf, jobKeyPrefix } from './keys.ts';
import { type Script, defineScript } from './script.ts';
import type { ScanJobs } from './scan-queue.ts';

/** How many jobs are in each state, and how old the oldest unfinished event is. */
export interface QueueFigures {
  readonly jobs: Readonly<Record<'queued' | 'working' | 'waiting' | 'failed' | 'done', number>>;
  readonly oldestSeconds: number;
}

/**
 * When the oldest event of a backlog was accepted, or nothing. Entries that count no longer are taken off on the way,
 * a hundred at most, so that a long-broken backlog heals over several readings without holding Redis up.
 * KEYS 1 backlog; ARGV 1 prefix of the library's jobs, 2 now in ms
 */
const OLDEST_LUA = `
${STALE_LUA}
for _ = 1, 100 do
  local oldest = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
  if #oldest == 0 then return false end
  if not stale(ARGV[1] .. oldest[1], tonumber(oldest[2]), tonumber(ARGV[2])) then return oldest[2] end
  redis.call('ZREM', KEYS[1], oldest[1])
end
return false
`;

/** Reads the figures for metrics and the dashboard. */
export async function readQueue(
  redis: Redis,
  queue: ScanJobs,
  libraries: readonly string[],
  nowMs: number,
): Promise<QueueFigures> {
  const oldest = defineScript(redis, 'passportOldest', OLDEST_LUA);
  const [counts, ...accepted] = await Promise.all([
    queue.getJobCounts('prioritized', 'wait', 'active', 'delayed', 'failed', 'completed'),
    ...libraries.map((library) => oldestUnfinishedMs(oldest, library, nowMs)),
  ]);
  const oldestMs = Math.min(nowMs, ...accepted.filter((ms) => ms !== null));
  return {
    jobs: {
      queued: (counts['prioritized'] ?? 0) + (counts['wait'] ?? 0),
      working: counts['active'] ?? 0,
      waiting: counts['delayed'] ?? 0,
      failed: counts['failed'] ?? 0,
      done: counts['completed'] ?? 0,
    },
    oldestSeconds: (nowMs - oldestMs) / 1000,
  };
}

async function oldestUnfinishedMs(oldest: Script, library: string, nowMs: number): Promise<number | null> {
  const accepted = await oldest([backlogKey(library)], [`${jobKeyPrefix}${jobIdOf(library, '')}`, nowMs]);
  return accepted === null ? null : Number(accepted);
}
