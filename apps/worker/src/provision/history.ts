import type { AttemptCall } from '@passport/contract';

/** What one run queries at libraries, for the history of its event. */
export interface History {
  readonly calls: readonly AttemptCall[];
  /** Notes the result of `work`. Its entry is made at the start, so that work that is cut off has one, too. */
  note<T>(call: Noted<T>, work: () => Promise<T>): Promise<T>;
}

interface Noted<T> {
  readonly library: string;
  readonly step: 'locate' | 'copy' | 'checkout';
  /** What came of it, as a code. */
  readonly said: (result: T) => string;
}

export function openHistory(monotonicNow: () => number): History {
  const calls: AttemptCall[] = [];
  return {
    calls,
    async note({ library, step, said }, work) {
      const call: AttemptCall = { library, step, answer: 'NO_ANSWER', ms: null };
      calls.push(call);
      const startedAt = monotonicNow();
      try {
        const result = await work();
        call.answer = said(result);
        return result;
      } finally {
        call.ms = Math.round(monotonicNow() - startedAt);
      }
    },
  };
}
