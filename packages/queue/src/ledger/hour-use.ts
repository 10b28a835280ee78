import type { Outcome, Progress } from '@passport/contract';
import type { Redis } from '@passport/runtime';
import { hourKey } from '../keys.ts';

/** What is counted by the hour, in the order of the scripts' keys. */
export const HOUR_KINDS = ['misses', 'copies', 'verdicts'] as const;
export type HourKind = (typeof HOUR_KINDS)[number];

/** What an event used of its library's hourly quota. */
export type HourUse = HourKind | 'none';

/** What an outcome uses where no record was sent; a new outcome does not compile without a row. */
const WITHOUT_RECORD: Readonly<Record<Outcome, HourUse>> = {
  COPIED: 'verdicts',
  ALREADY_LOCAL: 'verdicts',
  NOT_FOUND: 'misses',
  NOT_A_CARD: 'none',
  AMBIGUOUS_HOME: 'verdicts',
  NOT_ELIGIBLE: 'verdicts',
  LOOKS_LIKE_LOCAL_PATRON: 'verdicts',
  LOCAL_CONFLICT: 'verdicts',
  HOME_GONE: 'verdicts',
  MERGED_INTO_NATIVE: 'verdicts',
  COPY_ANONYMIZED: 'verdicts',
  OBSERVED: 'verdicts',
  CANCELLED: 'verdicts',
  CONSENT_REFUSED: 'verdicts',
  CONSENT_LAPSED: 'verdicts',
  CONSENT_AT_DESK: 'verdicts',
  // It names who did not answer, which says nothing of the patron.
  HOME_UNREACHABLE: 'none',
  LENDING_UNREACHABLE: 'verdicts',
  LENDING_REFUSED: 'verdicts',
  MISCONFIGURED: 'verdicts',
  TOO_LATE: 'verdicts',
};

/**
 * What an event that ended used of the quota: a copy once a record was sent, whatever came of it; a decision (`verdicts`) where it
 * names the home of a patron without that, for it says something of them, or where staff have read as much before (`hasAsked`).
 */
export function hourUseOf(end: {
  readonly outcome: Outcome;
  readonly homes: Progress['homes'] | readonly string[];
  readonly hasSentRecord: boolean;
  readonly hasAsked?: boolean;
}): HourUse {
  if (end.hasSentRecord) return 'copies';
  if (end.hasAsked === true) return 'verdicts';
  const used = WITHOUT_RECORD[end.outcome];
  return used === 'verdicts' && end.homes.length === 0 ? 'none' : used;
}

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
