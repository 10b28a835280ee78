import type { Redis } from '@passport/runtime';
import { HOUR_KINDS } from './hour-use.ts';
import { hourKey } from './keys.ts';

const HOUR_MS = 3_600_000;
/** Beside what events use, the copies that got new values. */
const COUNTED = [...HOUR_KINDS, 'refreshes'] as const;
type HourCounts = Readonly<Record<(typeof COUNTED)[number], number>>;

/** How much of its hourly quota each library has used, by the queue's clock; changes nothing. */
export async function readHourUse(
  redis: Redis,
  libraries: readonly string[],
  nowMs: number,
): Promise<ReadonlyMap<string, HourCounts>> {
  const since = `(${nowMs - HOUR_MS}`;
  const read = async (library: string) => {
    const counts = await Promise.all(
      COUNTED.map(async (kind) => [kind, await redis.zcount(hourKey(kind, library), since, '+inf')] as const),
    );
    return [library, Object.fromEntries(counts) as HourCounts] as const;
  };
  return new Map(await Promise.all(libraries.map(read)));
}
