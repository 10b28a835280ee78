import { OUTCOMES, type Outcome } from '@passport/contract';
import type { Redis } from '@passport/runtime';
import { outcomesKey } from '../keys.ts';

/** How many events of one library ended so, in one hour. */
export interface OutcomeCount {
  /** Start of the hour, ISO 8601, UTC. */
  readonly hour: string;
  readonly library: string;
  readonly outcome: Outcome;
  readonly count: number;
}

const HOUR_MS = 3_600_000;
const SHOWN_HOURS = 24;

/** The outcomes of the last 24 hours, oldest hour first; hours without events give no rows. */
export async function readOutcomeCounts(redis: Redis, nowMs: number): Promise<OutcomeCount[]> {
  const starts = Array.from({ length: SHOWN_HOURS }, (_, index) =>
    new Date(nowMs - (SHOWN_HOURS - 1 - index) * HOUR_MS).toISOString().slice(0, 'YYYY-MM-DDTHH'.length),
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

/** The outcomes of one library, read hour by hour. */
export interface LibraryOutcomes {
  /** From the hour of `sinceMs` on, summed up; those that did not occur are left out. */
  since(sinceMs: number): Pick<OutcomeCount, 'outcome' | 'count'>[];
}

/** Reads the outcomes of one library from the hour of `firstMs` to that of `nowMs`. */
export async function readOutcomesOf(
  redis: Redis,
  library: string,
  { firstMs, nowMs }: { readonly firstMs: number; readonly nowMs: number },
): Promise<LibraryOutcomes> {
  const fields = OUTCOMES.map((outcome) => `${library} ${outcome}`);
  const first = Math.floor(firstMs / HOUR_MS);
  const hours = Array.from({ length: Math.floor(nowMs / HOUR_MS) - first + 1 }, (_, index) =>
    new Date((first + index) * HOUR_MS).toISOString().slice(0, 'YYYY-MM-DDTHH'.length),
  );
  const rows = await Promise.all(hours.map((hour) => redis.hmget(outcomesKey(hour), ...fields)));
  return {
    since(sinceMs) {
      const counted = rows.slice(Math.max(0, Math.floor(sinceMs / HOUR_MS) - first));
      return OUTCOMES.map((outcome, place) => ({
        outcome,
        count: counted.reduce((sum, row) => sum + Number(row[place] ?? 0), 0),
      })).filter(({ count }) => count > 0);
    },
  };
}
