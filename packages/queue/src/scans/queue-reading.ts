import type { Redis } from '@passport/runtime';
import { STALE_LUA } from './backlog-script.ts';
import { backlogKey, jobIdOf, jobKeyPrefix } from '../keys.ts';
import { defineScript, inBatches } from '../redis/index.ts';
import { type EventCounts, countEvents } from './event-counts.ts';
import type { ScanJobs } from './scan-queue.ts';

/** How many jobs are in each state, how old the oldest unfinished event is, and each library's unfinished events. */
export interface QueueFigures {
  readonly jobs: EventCounts;
  readonly oldestSeconds: number;
  readonly backlogs: Readonly<Record<string, number>>;
}

/** Entries taken off by one script, so that a long-broken backlog heals over several of them and Redis is not blocked. */
const MOST_LOOKS = 1_000;

/**
 * For each backlog how many events are in it and when the oldest was accepted ('' for none, or unknown yet). Entries
 * that count no longer are taken off on the way. Few scripts for all libraries: Prometheus scrapes every process.
 * A key of another kind counts as empty: it must not hide the figures of all the others.
 * KEYS backlogs; ARGV 1 now in ms, 2 most looks, 3... prefix of each library's jobs
 */
const BACKLOGS_LUA = `
${STALE_LUA}
local now_ms, looks = tonumber(ARGV[1]), tonumber(ARGV[2])
local function read(key, jobs)
  if redis.call('TYPE', key).ok ~= 'zset' then return {0, ''} end
  local oldest, accepted = nil, ''
  repeat
    oldest = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
    if #oldest == 0 then break end
    if not stale(jobs .. oldest[1], tonumber(oldest[2]), now_ms) then accepted = oldest[2] break end
    redis.call('ZREM', key, oldest[1])
    looks = looks - 1
  until looks <= 0
  return {redis.call('ZCARD', key), accepted}
end
local answer = {}
for index, key in ipairs(KEYS) do answer[index] = read(key, ARGV[index + 2]) end
return answer
`;

/** Reads the figures for metrics and the dashboard. */
export async function readQueue(
  redis: Redis,
  queue: ScanJobs,
  libraries: readonly string[],
  nowMs: number,
): Promise<QueueFigures> {
  const [jobs, backlogs] = await Promise.all([
    countEvents(redis, queue, null),
    readBacklogs(redis, libraries, nowMs),
  ]);
  const accepted = backlogs.flatMap(([, oldest]) => (oldest === '' ? [] : [Number(oldest)]));
  return {
    jobs,
    oldestSeconds: (nowMs - Math.min(nowMs, ...accepted)) / 1000,
    backlogs: Object.fromEntries(libraries.map((library, index) => [library, backlogs[index]?.[0] ?? 0])),
  };
}

async function readBacklogs(
  redis: Redis,
  libraries: readonly string[],
  nowMs: number,
): Promise<readonly (readonly [unfinished: number, oldestMs: string])[]> {
  const read = defineScript(redis, 'passportBacklogs', BACKLOGS_LUA);
  return inBatches(libraries, async (some) => {
    const prefixes = some.map((library) => `${jobKeyPrefix}${jobIdOf(library, '')}`);
    const answer = await read(some.map(backlogKey), [nowMs, MOST_LOOKS, ...prefixes]);
    return answer as readonly (readonly [number, string])[];
  });
}
