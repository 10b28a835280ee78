import type { ProblemKind, WaitingReason } from '@passport/contract';
import type { KohaError } from '@passport/koha-client';

/** What only a person can fix at a library: the `problem` of a `MISCONFIGURED` event. */
export interface Misconfiguration {
  readonly what: ProblemKind;
  /** The permission, branch, category, attribute type or field it is about; a code, never a patron's value. */
  readonly name: string | null;
}

/** What the failure of a call to a Koha means. */
export type FailureMeaning =
  /** It may pass by itself. */
  | { readonly kind: 'wait'; readonly reason: WaitingReason; readonly retryAfterMs: number | null }
  | { readonly kind: 'refused'; readonly problem: Misconfiguration }
  /** We hung up ourselves. */
  | { readonly kind: 'aborted' }
  /** It was too late to send it: only of a checkout, which handles it itself. */
  | { readonly kind: 'too_late' };

/** The one table of failures, for a look-up and for the whole job. Pure. */
export function meaningOf(failure: KohaError): FailureMeaning {
  const { retryAfterMs } = failure;
  const wait = (reason: WaitingReason): FailureMeaning => ({ kind: 'wait', reason, retryAfterMs });
  switch (failure.code) {
    case 'aborted':
    case 'too_late':
      return { kind: failure.code };
    case 'busy':
      return wait('BUSY');
    case 'rate_limited':
      return wait('RATE_LIMITED');
    case 'timeout':
    case 'unreachable':
    case 'reset':
    case 'http_5xx':
    case 'maintenance':
    case 'bad_answer':
    case 'redirect':
    case 'record_refused':
      return wait('NO_ANSWER');
    case 'unexpected_status':
      return failure.retryable ? wait('NO_ANSWER') : refused('other', `status ${failure.status}`);
    case 'credentials':
      return refused('credentials', null);
    case 'permission':
      return failure.branch === null
        ? refused('permission', failure.permission)
        : refused('branch', failure.branch);
    case 'record_unreadable':
      return refused('record', failure.field);
    default:
      return failure.code satisfies never;
  }
}

const refused = (what: ProblemKind, name: string | null): FailureMeaning => ({
  kind: 'refused',
  problem: { what, name },
});
