import type { CauseCode } from './cause-code.ts';
import type { Effect, KohaOperation } from '../answers/koha-operation.ts';

/** Why a call gave no answer that can be used. Closed: a policy can switch over it exhaustively. */
export type KohaErrorCode =
  | 'timeout'
  | 'unreachable'
  | 'reset'
  | 'aborted'
  | 'busy'
  | 'http_5xx'
  | 'rate_limited'
  | 'maintenance'
  | 'credentials'
  | 'permission'
  | 'bad_answer'
  | 'record_refused'
  | 'record_unreadable'
  | 'redirect'
  | 'too_late'
  | 'unexpected_status';

/** What a KohaError is made of; everything else about the failure is dropped where it is caught. */
export interface KohaFailure {
  readonly code: KohaErrorCode;
  readonly library: string;
  readonly operation: KohaOperation;
  readonly effect: Effect;
  readonly status?: number | null;
  readonly retryAfterMs?: number | null;
  readonly permission?: string | null;
  readonly branch?: string | null;
  readonly field?: string | null;
  readonly isFromKoha?: boolean;
  readonly causeCode?: CauseCode | null;
  readonly wasSent?: boolean;
}

/** Whether a Koha that is there failed at this request: one record of a batch can be the reason. */
export function isOfOneRecord(error: unknown): error is KohaError {
  return error instanceof KohaError && OF_ONE_RECORD.has(error.code);
}

/** Whether this side ended the call: it was not sent, or it was broken off. That says nothing about the library. */
export const isEndedByUs = ({ code }: Pick<KohaError, 'code'>): boolean => ENDED_BY_US.has(code);

const ENDED_BY_US: ReadonlySet<KohaErrorCode> = new Set(['busy', 'aborted', 'too_late']);

const OF_ONE_RECORD: ReadonlySet<KohaErrorCode> = new Set([
  'record_refused',
  'record_unreadable',
  'http_5xx',
  'bad_answer',
]);

const RETRYABLE: Readonly<Record<KohaErrorCode, boolean>> = {
  timeout: true,
  unreachable: true,
  reset: true,
  aborted: true,
  busy: true,
  http_5xx: true,
  rate_limited: true,
  maintenance: true,
  bad_answer: true,
  record_refused: true,
  // A proxy's, for as long as something is wrong behind it: Koha's API redirects nobody.
  redirect: true,
  // It is in the record, for as long as nobody corrects it there.
  record_unreadable: false,
  credentials: false,
  permission: false,
  too_late: false,
  unexpected_status: false,
};

/**
 * A call to Koha that failed in a way the caller cannot make into a result. Its properties and its message hold
 * codes only: no URL, no body, no header, no `cause`, because loggers and queues print whatever hangs on an error.
 */
export class KohaError extends Error {
  override readonly name = 'KohaError';
  readonly code: KohaErrorCode;
  readonly library: string;
  readonly operation: KohaOperation;
  /** Whether to look for a write that may have happened although no answer says so; always `none` for reads. */
  readonly effect: Effect;
  /** Whether the same call may succeed later without a person's help. */
  readonly retryable: boolean;
  /** The HTTP status, null when there was none. */
  readonly status: number | null;
  /** How long Koha requires to wait (its `retry-after`), null when it does not say. */
  readonly retryAfterMs: number | null;
  /** With `permission`: the permission Koha names, such as `borrowers: edit_borrowers`; null when it names none. */
  readonly permission: string | null;
  /** With `permission`: the branch this API user may not act for; null when the refusal is about something else. */
  readonly branch: string | null;
  /** With `record_unreadable`: which of its fields Koha cannot show, by its name in the API; null when that is none we know. */
  readonly field: string | null;

  /** Whether Koha itself said so in its own words: it is there, and in trouble with this one request. */
  readonly isFromKoha: boolean;
  /** Why there was no usable answer, where more is known than `code` says; null otherwise. */
  readonly causeCode: CauseCode | null;
  /**
   * Whether somebody may have read what was to be sent, by this try of the call or by an earlier one, whatever the outcome of it. A request
   * for a token sends nothing of the call that needs it.
   */
  readonly wasSent: boolean;

  constructor(failure: KohaFailure) {
    const status = failure.status ?? null;
    super(
      `${failure.library}: ${failure.operation}: ${failure.code}${status === null ? '' : ` (${status})`}`,
    );
    this.code = failure.code;
    this.library = failure.library;
    this.operation = failure.operation;
    this.effect = failure.effect;
    this.retryable = RETRYABLE[failure.code] || status === 408 || status === 425;
    this.status = status;
    this.retryAfterMs = failure.retryAfterMs ?? null;
    this.permission = failure.permission ?? null;
    this.branch = failure.branch ?? null;
    this.field = failure.field ?? null;
    this.isFromKoha = failure.isFromKoha ?? false;
    this.causeCode = failure.causeCode ?? null;
    const isOfToken = this.operation === 'POST /oauth/token';
    this.wasSent = failure.wasSent ?? (!isOfToken && (status !== null || this.effect === 'unknown'));
  }
}
