import type { Redis } from '@passport/runtime';
import { backlogKey, failedKey, keptKey, unreadableJobsKey } from '../keys.ts';
import { NOW_LUA, defineScript } from '../redis/index.ts';

/**
 * The event counts as failed, not as queued for ever.
 * KEYS 1 unreadable jobs, 2 backlog, 3 kept failed events; ARGV 1 job id, 2 event id
 */
const NOTE_LUA = `${NOW_LUA}
local now = nowMs()
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[2])
redis.call('ZADD', KEYS[3], now, ARGV[2])
`;

/** What was discarded, or removed by its age, is forgotten. KEYS 1 unreadable jobs, 2 failed jobs */
const LIST_LUA = `
local found = {}
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  if redis.call('ZSCORE', KEYS[2], id) then found[#found + 1] = id end
end
return found
`;

/** The jobs of scans that failed because their data cannot be read: no outcome tells of them. */
export function openUnreadableJobs(redis: Redis, failedForMs = 30 * 24 * 3_600_000) {
  const note = defineScript(redis, 'passportNoteUnreadable', NOTE_LUA);
  const list = defineScript(redis, 'passportListUnreadable', LIST_LUA);
  return {
    async note(jobId: string): Promise<void> {
      const dot = jobId.indexOf('.');
      const [library, eventId] = dot === -1 ? ['', jobId] : [jobId.slice(0, dot), jobId.slice(dot + 1)];
      await note([unreadableJobsKey, backlogKey(library), keptKey('failed', library)], [jobId, eventId]);
      await redis.pexpire(unreadableJobsKey, failedForMs);
    },
    /** Those that are still failed jobs. */
    list: async (): Promise<string[]> => (await list([unreadableJobsKey, failedKey], [])) as string[],
  };
}
