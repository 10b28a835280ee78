import type { WaitingReason } from '@passport/contract';
import { KohaError, type KohaPatron } from '@passport/koha-client';
import { type Misconfiguration, meaningOf } from './failure.ts';

/** What a candidate answered when a card was looked up. */
export type Answer =
  | { readonly kind: 'patrons'; readonly patrons: readonly KohaPatron[] }
  | { readonly kind: 'no_answer'; readonly reason: WaitingReason; readonly retryAfterMs: number | null }
  | { readonly kind: 'refused'; readonly problem: Misconfiguration };

/** The answer of a look-up under way. What is no KohaError is a bug and is thrown on. */
export async function readAnswer(work: Promise<readonly KohaPatron[]>): Promise<Answer> {
  try {
    return { kind: 'patrons', patrons: await work };
  } catch (error) {
    if (error instanceof KohaError) return answerOfFailure(error);
    throw error;
  }
}

/** The answer a failed call stands for: silence that may pass, or a refusal that a person must fix. */
function answerOfFailure(failure: KohaError): Answer {
  const meaning = meaningOf(failure);
  switch (meaning.kind) {
    case 'refused':
      return meaning;
    case 'wait':
      return { kind: 'no_answer', reason: meaning.reason, retryAfterMs: meaning.retryAfterMs };
    case 'aborted':
    case 'too_late':
      return { kind: 'no_answer', reason: 'NO_ANSWER', retryAfterMs: failure.retryAfterMs };
    default:
      return meaning satisfies never;
  }
}
