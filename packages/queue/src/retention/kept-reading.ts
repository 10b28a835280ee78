import type { Redis } from '@passport/runtime';
import {
  REPORTS,
  backlogKey,
  idempotencyKey,
  jobIdOf,
  jobKeyPrefix,
  keptKey,
  delayedKey,
  rememberedKey,
} from '../keys.ts';
import { defineScript, inBatches } from '../redis/index.ts';

/** What a library has in Redis: events by state, ids that are remembered, and about how many bytes all of it takes. */
export interface KeptFigures {
  readonly finished: number;
  readonly failed: number;
  readonly unfinished: number;
  readonly remembered: number;
  readonly bytes: number;
}

/** What an event takes beside its job: places in BullMQ's sets and in ours, measured with Redis 8 (docs/scale.md). */
const BESIDE_JOB_BYTES = 300;
/** Where Redis does not say what a key takes (a managed one may not), or the event that was looked at is gone. */
const JOB_BYTES = 2_200;
const IDEMPOTENCY_KEY_BYTES = 300;
/** A report that waits, with its places in BullMQ's sets and in ours. */
const REPORT_BYTES = 1_500;

/**
 * For each library {finished, failed, unfinished, remembered, bytes}. Bytes are estimated from two jobs of each kind and
 * one idempotency key: to add all of them up would block Redis.
 * KEYS of each: kept finished, kept failed, backlog, remembered ids, reports that wait; ARGV of each: prefix of its jobs, of its idempotency keys
 */
const KEPT_LUA = `
local function usage(key, guess)
  local ok, bytes = pcall(redis.call, 'MEMORY', 'USAGE', key)
  return ok and tonumber(bytes) or guess
end
local function of_events(key, jobs)
  local count = redis.call('ZCARD', key)
  if count == 0 then return 0, 0 end
  local sum = 0
  for _, rank in ipairs({math.floor(count / 2), count - 1}) do
    sum = sum + usage(jobs .. redis.call('ZRANGE', key, rank, rank)[1], ${JOB_BYTES})
  end
  return count, count * (sum / 2 + ${BESIDE_JOB_BYTES})
end
local function of_library(at, jobs, records)
  local answer, bytes = {}, 0
  for place = 1, 3 do
    local count, size = of_events(KEYS[at + place], jobs)
    answer[place], bytes = count, bytes + size
  end
  local ids = redis.call('LLEN', KEYS[at + 4])
  if ids > 0 then
    local record = usage(records .. redis.call('LINDEX', KEYS[at + 4], -1), ${IDEMPOTENCY_KEY_BYTES})
    bytes = bytes + ids * (record + 100)
  end
  bytes = bytes + redis.call('SCARD', KEYS[at + 5]) * ${REPORT_BYTES}
  answer[4], answer[5] = ids, math.floor(bytes)
  return answer
end
local answer = {}
for library = 1, #KEYS / 5 do
  local ok, figures = pcall(of_library, (library - 1) * 5, ARGV[library * 2 - 1], ARGV[library * 2])
  answer[library] = ok and figures or {0, 0, 0, 0, 0}
end
return answer
`;

/** Reads what each library has in Redis. A library whose keys have values that are not ours has nothing. */
export async function readKept(
  redis: Redis,
  libraries: readonly string[],
): Promise<Record<string, KeptFigures>> {
  const read = defineScript(redis, 'passportKept', KEPT_LUA);
  const rows = await inBatches(libraries, async (some) => {
    const keys = some.flatMap((id) => [
      keptKey('finished', id),
      keptKey('failed', id),
      backlogKey(id),
      rememberedKey(id),
      delayedKey(id, REPORTS),
    ]);
    const prefixes = some.flatMap((id) => [`${jobKeyPrefix}${jobIdOf(id, '')}`, idempotencyKey(id, '')]);
    return (await read(keys, prefixes)) as (readonly [number, number, number, number, number])[];
  });
  return Object.fromEntries(
    rows.map(([finished, failed, unfinished, remembered, bytes], place) => [
      libraries[place] ?? '',
      { finished, failed, unfinished, remembered, bytes },
    ]),
  );
}
