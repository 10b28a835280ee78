import type { Redis } from '@passport/runtime';
import { KEPT_KINDS, type KeptKind, jobIdOf, jobKeyPrefix, keptKey } from './keys.ts';
import type { ScanJobs } from './scan-queue.ts';
import { type Script, defineScript } from './script.ts';

/** How many ended events of a library are kept, and for how long. */
export interface KeptLimits {
  readonly keptFinished: number;
  readonly keptFailed: number;
}

const AT_ONCE = 500;
/** In one sweep of one library: the next sweep goes on. */
const MOST_ROUNDS = 20;

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
  return async (libraries, ages, nowMs) => {
    for (const { id, limits } of libraries) {
      for (const kind of KEPT_KINDS) {
        await redis.zremrangebyscore(keptKey(kind, id), '-inf', nowMs - ages[kind]);
        const most = kind === 'finished' ? limits.keptFinished : limits.keptFailed;
        const count = await dropExcess({ redis, queue, findExcess }, id, kind, most);
        if (count > 0) dropped(id, kind, count);
      }
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
