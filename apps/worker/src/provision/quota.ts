import type { Consortium } from '@passport/config';
import type { Ledger } from '@passport/queue/ledger';
import { libraryById } from '@passport/patron-rules';
import type { HourlyLimit } from '../metrics/job-metrics.ts';
import type { Retry } from './result.ts';
import type { Scan } from './scan.ts';

export type Quota = ReturnType<typeof buildQuota>;

/** More than all workers together have under way of one library. */
const AMPLE = 200;
/** Other workers use the same hour. */
const REMEMBERED_MS = 60_000;

/** Builds what limits a library to its hourly copies, misses and decisions. `reached` is called each time a job has to wait for the quota. */
export function buildQuota(
  consortium: Consortium,
  ledger: Pick<Ledger, 'reserveQuota'>,
  reached: (library: string, limit: HourlyLimit) => void,
  monotonicNow: () => number,
) {
  const last = new Map<string, { readonly left: number; readonly atMs: number }>();
  return {
    /** Whether so much was left a moment ago that a look-up need not wait for its reservation. */
    isAmple(lending: string): boolean {
      const { left, atMs } = last.get(lending) ?? { left: 0, atMs: 0 };
      return left >= AMPLE && monotonicNow() - atMs <= REMEMBERED_MS;
    },
    /** Null when the event may go on, a retry when the hour is used up. */
    async reserve({ lending, eventId }: Pick<Scan, 'lending' | 'eventId'>): Promise<Retry | null> {
      const { limits } = libraryById(consortium, lending);
      const reservation = await ledger.reserveQuota(lending, eventId, limits);
      const left = reservation.kind === 'reserved' ? reservation.left : 0;
      last.set(lending, { left, atMs: monotonicNow() });
      if (reservation.kind === 'reserved') return null;
      reached(lending, reservation.limit);
      return {
        kind: 'retry',
        library: lending,
        reason: 'LIMIT_REACHED',
        retryAfterMs: reservation.freeInMs,
        otherwise: { outcome: 'TOO_LATE' },
      };
    },
  };
}
