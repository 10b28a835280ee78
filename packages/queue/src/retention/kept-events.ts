import type { Redis } from '@passport/runtime';
import { type KeptKind, jobIdOf, jobKeyPrefix, keptKey } from '../keys.ts';
import type { ScanJobs } from '../scans/index.ts';
import { type Script, defineScript, inBatches } from '../redis/index.ts';

/** How many ended events of a library are kept, and for how long. */
export interface KeptLimits {
  readonly keptFinished: number;
  readonly keptFailed: number;
}

const AT_ONCE = 500;
/** In one sweep of one library: the next sweep goes on. */
const MOST_ROUNDS = 20;

/**
 * Takes off what is as old as its kind may be, and says where there still is more than may be kept.
 * KEYS kept events; ARGV of each: the latest time that is too old, in ms, and most that may be kept
 */
const AGED_LUA = `
local over = {}
for place, key in ipairs(KEYS) do
  redis.call('ZREMRANGEBYSCORE', key, '-inf', ARGV[place * 2 - 1])
  if redis.call('ZCARD', key) > tonumber(ARGV[place * 2]) then over[#over + 1] = place end
end
return over
`;

/**
 * The oldest events of a library that are more than may be kept. Those whose job is gone, or is being worked on again,
 * are taken off. KEYS 1 kept events; ARGV 1 prefix of the library's jobs, 2 most that may be kept, 3 most to answer.
 */
const EXCESS_LUA = `
local over = redis.call('ZCARD', KEYS[1]) - tonumber(ARGV[2])
if over <= 0 then return {} end
local excess = {}
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, math.min(over, tonumber(ARGV[3])) - 1)) do
  if redis.call('HEXISTS', ARGV[1] .. id, 'finishedOn') == 1 then excess[#excess + 1] = id
  else redis.call('ZREM', KEYS[1], id) end
end
return excess
`;

/** Removes what is more than may be kept of each library; says what was removed. */
export type KeptSweep = (
  libraries: readonly { readonly id: string; readonly limits: KeptLimits }[],
  ages: Readonly<Record<KeptKind, number>>,
  nowMs: number,
) => Promise<void>;

/**
 * One library must not fill Redis: its ended events are kept by number, too, the newest ones, beside the retention by
 * age, which is the same for all. `dropped` hears how many jobs went before their time.
 */
export function buildKeptSweep(
  redis: Redis,
  queue: ScanJobs,
  dropped: (library: string, kind: KeptKind, count: number) => void,
): KeptSweep {
  const findExcess = defineScript(redis, 'passportExcess', EXCESS_LUA);
  const dropAged = defineScript(redis, 'passportAged', AGED_LUA);
  return async (libraries, ages, nowMs) => {
    const all = libraries.flatMap(({ id, limits }) => [
      { id, kind: 'finished' as const, most: limits.keptFinished },
      { id, kind: 'failed' as const, most: limits.keptFailed },
    ]);
    const over = await inBatches(all, async (some) => {
      const keys = some.map(({ kind, id }) => keptKey(kind, id));
      const limits = some.flatMap(({ kind, most }) => [nowMs - ages[kind], most]);
      const places = (await dropAged(keys, limits)) as number[];
      return places.flatMap((place) => some[place - 1] ?? []);
    });
    for (const { id, kind, most } of over) {
      const count = await dropExcess({ redis, queue, findExcess }, id, kind, most);
      if (count > 0) dropped(id, kind, count);
    }
  };
}

async function dropExcess(
  { redis, queue, findExcess }: { redis: Redis; queue: ScanJobs; findExcess: Script },
  library: string,
  kind: KeptKind,
  most: number,
): Promise<number> {
  const key = keptKey(kind, library);
  const jobs = `${jobKeyPrefix}${jobIdOf(library, '')}`;
  let count = 0;
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const ids = (await findExcess([key], [jobs, most, AT_ONCE])) as string[];
    if (ids.length === 0) break;
    const removed = await Promise.all(ids.map((id) => queue.remove(jobIdOf(library, id))));
    await redis.zrem(key, ...ids);
    count += removed.filter((one) => one === 1).length;
  }
  return count;
}
