import type { AttemptCall } from '@passport/contract';
import type { Result } from './result.ts';
import type { Scan } from './scan.ts';

interface Noted<T> {
  readonly library: string;
  readonly step: 'locate' | 'copy' | 'checkout';
  /** What came of it, as a code. */
  readonly said: (result: T) => string;
  readonly monotonicNow: () => number;
}

/** What came of a step, as a code. */
export const codeOf = (result: Result): string => (result.kind === 'done' ? result.outcome : result.reason);

/** Notes a call for the history of the event. It stands there from its start, so that one that is cut off is in it, too. */
export async function noteCall<T>(
  { calls }: Pick<Scan, 'calls'>,
  { library, step, said, monotonicNow }: Noted<T>,
  work: () => Promise<T>,
): Promise<T> {
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
}
