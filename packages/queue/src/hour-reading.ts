import type { Redis } from '@passport/runtime';
import { HOUR_KINDS, type HourKind } from './hour-use.ts';
import { hourKey } from './keys.ts';

const HOUR_MS = 3_600_000;

/** How much of its hourly quota each library has used, by the queue's clock; changes nothing. */
export async function readHourUse(
  redis: Redis,
  libraries: readonly string[],
  nowMs: number,
): Promise<ReadonlyMap<string, Readonly<Record<HourKind, number>>>> {
  const since = `(${nowMs - HOUR_MS}`;
  const read = async (library: string) => {
    const counts = await Promise.all(
      HOUR_KINDS.map(
        async (kind) => [kind, await redis.zcount(hourKey(kind, library), since, '+inf')] as const,
      ),
    );
    return [library, Object.fromEntries(counts) as Record<HourKind, number>] as const;
  };
  return new Map(await Promise.all(libraries.map(read)));
}
