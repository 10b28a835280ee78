import type { Consortium } from '@passport/config';
import type { Ledger } from '@passport/queue';
import { libraryById } from '@passport/patron-rules';
import type { TakeUp } from './ports.ts';

/** Holds a library to its hourly copies, misses and verdicts; `reached` is told each time a job has to wait for them. */
export function buildTakeUp(
  consortium: Consortium,
  ledger: Ledger,
  reached: (library: string, limit: 'copies' | 'misses' | 'verdicts') => void,
): TakeUp {
  return async ({ lending, eventId }) => {
    const { limits } = libraryById(consortium, lending);
    const admission = await ledger.admit(lending, eventId, limits);
    if (admission.kind === 'admitted') return null;
    reached(lending, admission.limit);
    return {
      kind: 'waiting',
      library: lending,
      reason: 'LIMIT_REACHED',
      retryAfterMs: admission.freeInMs,
      otherwise: { outcome: 'TOO_LATE' },
    };
  };
}
