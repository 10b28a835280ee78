import { OUTCOMES, type Outcome } from '@passport/contract';
import type { Redis } from '@passport/runtime';
import { outcomesKey } from './keys.ts';

/** How many events of one library ended so, in one hour. */
export interface OutcomeCount {
  /** Start of the hour, ISO 8601, UTC. */
  readonly hour: string;
  readonly library: string;
  readonly outcome: Outcome;
  readonly count: number;
}

const HOUR_MS = 3_600_000;

/** The outcomes of the last `hours` hours (at most 24), oldest hour first; hours without events give no rows. */
export async function readOutcomeCounts(redis: Redis, nowMs: number, hours = 24): Promise<OutcomeCount[]> {
  const starts = Array.from({ length: hours }, (_, index) =>
    new Date(nowMs - (hours - 1 - index) * HOUR_MS).toISOString().slice(0, 'YYYY-MM-DDTHH'.length),
  );
  const tables = await Promise.all(starts.map((start) => redis.hgetall(outcomesKey(start))));
  return tables.flatMap((table, index) =>
    Object.entries(table).flatMap(([field, count]) => {
      const [library = '', name = ''] = field.split(' ');
      const outcome = OUTCOMES.find((code) => code === name);
      if (outcome === undefined) return [];
      return [{ hour: `${starts[index]}:00:00.000Z`, library, outcome, count: Number(count) }];
    }),
  );
}
