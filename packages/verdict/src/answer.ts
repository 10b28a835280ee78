import type { ProblemKind, WaitingReason } from '@passport/contract';
import { KohaError } from '@passport/koha-client';
import type { KohaPatron } from '@passport/koha-client';

/** What only a person can mend at a library: the `problem` of a `MISCONFIGURED` event. */
export interface Problem {
  readonly what: ProblemKind;
  /** The permission, branch, category or attribute type it is about; a code, never a patron's value. */
  readonly name: string | null;
}

/** What a candidate said when it was asked for a card. */
export type Answer =
  | { readonly kind: 'patrons'; readonly patrons: readonly KohaPatron[] }
  | { readonly kind: 'no_answer'; readonly reason: WaitingReason; readonly retryAfterMs: number | null }
  | { readonly kind: 'refused'; readonly problem: Problem };

/** Turns a look-up under way into an answer. What is no KohaError is a bug and is thrown on. */
export async function readAnswer(work: Promise<readonly KohaPatron[]>): Promise<Answer> {
  try {
    return { kind: 'patrons', patrons: await work };
  } catch (error) {
    if (error instanceof KohaError) return answerOfFailure(error);
    throw error;
  }
}

/** The answer a failed call stands for: silence that may pass, or a refusal that a person must mend. */
export function answerOfFailure(failure: KohaError): Answer {
  const problem = problemOfFailure(failure);
  if (problem !== null) return { kind: 'refused', problem };
  const reason =
    failure.code === 'busy' ? 'BUSY' : failure.code === 'rate_limited' ? 'RATE_LIMITED' : 'NO_ANSWER';
  return { kind: 'no_answer', reason, retryAfterMs: failure.retryAfterMs };
}

/** What a person must mend after this failure; null when trying again can help. */
export function problemOfFailure(failure: KohaError): Problem | null {
  if (failure.retryable) return null;
  switch (failure.code) {
    case 'credentials':
      return { what: 'credentials', name: null };
    case 'permission':
      return failure.branch === null
        ? { what: 'permission', name: failure.permission }
        : { what: 'branch', name: failure.branch };
    default:
      return {
        what: 'other',
        name: failure.status === null ? failure.code : `${failure.code} ${failure.status}`,
      };
  }
}
