import type { Consortium } from '@passport/config';
import type { Ledger } from '@passport/queue';
import { libraryById } from '@passport/patron-rules';
import type { Retry } from './result.ts';
import type { Scan } from './scan.ts';

/**
 * Holds a library to its hourly copies, misses and decisions: null when the event may go on, a retry when the hour is used
 * up. `reached` is called each time a job has to wait for it.
 */
export function buildQuota(
  consortium: Consortium,
  ledger: Ledger,
  reached: (library: string, limit: 'copies' | 'misses' | 'verdicts') => void,
): (scan: Scan) => Promise<Retry | null> {
  return async ({ lending, eventId }) => {
    const { limits } = libraryById(consortium, lending);
    const reservation = await ledger.reserveQuota(lending, eventId, limits);
    if (reservation.kind === 'reserved') return null;
    reached(lending, reservation.limit);
    return {
      kind: 'retry',
      library: lending,
      reason: 'LIMIT_REACHED',
      retryAfterMs: reservation.freeInMs,
      otherwise: { outcome: 'TOO_LATE' },
    };
  };
}
