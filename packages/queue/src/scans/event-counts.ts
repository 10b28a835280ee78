import type { Redis } from '@passport/runtime';
import { activeKey, backlogKey, delayedJobsKey, jobIdOf, keptKey } from '../keys.ts';
import { defineScript } from '../redis/index.ts';
import type { ScanJobs } from './scan-queue.ts';

/**
 * How many events are in each state: the one definition of these numbers. Done and failed are events that have ended so and are kept;
 * one that is retried counts by its last end, a double scan is one, and what is discarded counts no more.
 */
export type EventCounts = Readonly<Record<'queued' | 'working' | 'waiting' | 'failed' | 'done', number>>;

/** Of a longer backlog, the others count as queued: a script must not hold Redis up. */
const MOST_LOOKS = 20_000;

/**
 * How many events of some libraries are in each state. Only their own sets are gone through, and the active jobs, which are as
 * many as the workers have places.
 * KEYS 1 active jobs, 2 delayed jobs, then for each library its backlog, kept finished and kept failed events;
 * ARGV 1 most looks, then the prefix of each library's job ids
 */
const COUNT_LUA = `
local looks = tonumber(ARGV[1])
local active = {}
for _, id in ipairs(redis.call('LRANGE', KEYS[1], 0, -1)) do active[id] = true end
local unfinished, working, waiting, done, failed = 0, 0, 0, 0, 0
for place = 2, #ARGV do
  local at = (place - 1) * 3
  unfinished = unfinished + redis.call('ZCARD', KEYS[at])
  done = done + redis.call('ZCARD', KEYS[at + 1])
  failed = failed + redis.call('ZCARD', KEYS[at + 2])
  -- None left: ZRANGE would take 0 to -1 for all of them.
  local seen = looks > 0 and redis.call('ZRANGE', KEYS[at], 0, looks - 1) or {}
  looks = looks - #seen
  for _, id in ipairs(seen) do
    if active[ARGV[place] .. id] then working = working + 1
    elseif redis.call('ZSCORE', KEYS[2], ARGV[place] .. id) then waiting = waiting + 1 end
  end
end
return {math.max(0, unfinished - working - waiting), working, waiting, failed, done}
`;

/**
 * Counts the events of these lending libraries, or of all (null), also those that no configuration names any more: by BullMQ's own
 * sets then, which hold the same. `mostLooks` unfinished ones are looked at, of some libraries together.
 */
export async function countEvents(
  redis: Redis,
  queue: ScanJobs,
  libraries: readonly string[] | null,
  mostLooks = MOST_LOOKS,
): Promise<EventCounts> {
  if (libraries === null) return countJobs(queue);
  const count = defineScript(redis, 'passportCountEvents', COUNT_LUA);
  const keys = libraries.flatMap((id) => [backlogKey(id), keptKey('finished', id), keptKey('failed', id)]);
  const prefixes = libraries.map((id) => jobIdOf(id, ''));
  const [queued = 0, working = 0, waiting = 0, failed = 0, done = 0] = (await count(
    [activeKey, delayedJobsKey, ...keys],
    [mostLooks, ...prefixes],
  )) as number[];
  return { queued, working, waiting, failed, done };
}

async function countJobs(queue: ScanJobs): Promise<EventCounts> {
  const counts = await queue.getJobCounts('prioritized', 'wait', 'active', 'delayed', 'failed', 'completed');
  return {
    queued: (counts['prioritized'] ?? 0) + (counts['wait'] ?? 0),
    working: counts['active'] ?? 0,
    waiting: counts['delayed'] ?? 0,
    failed: counts['failed'] ?? 0,
    done: counts['completed'] ?? 0,
  };
}
