import {
  type JobData,
  type Outcome,
  type Progress,
  type Reason,
  type WaitingReason,
  isFailure,
} from '@passport/contract';
import type { PauseSide } from '@passport/queue/processes';
import type { Scan } from './scan.ts';

/** What an event came to for good. */
export interface End {
  readonly outcome: Outcome;
  readonly reasons?: readonly Reason[];
  /** Ids of home libraries. */
  readonly homes?: readonly string[];
  readonly patronId?: number;
  readonly checkout?: CheckoutOutcome;
  readonly problem?: NonNullable<Progress['problem']>;
  readonly observed?: NonNullable<Progress['observed']>;
  /** The copy that this event made, or found to be the service's own. */
  readonly copy?: OwnCopy;
}

/** Whose copy it is, and its number at the lending Koha. */
export interface OwnCopy {
  readonly homeKey: string;
  readonly patronId: number;
}

export type CheckoutOutcome = NonNullable<Progress['checkout']>;

/** A copy that is there, so that only the checkout is left. The job keeps it while its lending library must be tried again. */
export type MadeCopy = NonNullable<JobData['made']>;

export type Done = { readonly kind: 'done' } & End;

/** The copy is there: made now, or found to be the service's own. */
export interface CopyThere {
  readonly kind: 'there';
  readonly made: MadeCopy;
  /** The privacy that Koha has given it, where its answer to the create has shown that. */
  readonly privacy?: number | null;
}

/** The outcome of the copy: it is there, or it is not (or no longer, or hidden from us), and trying again would not help. */
export type CopyOutcome = CopyThere | Done;

/** A library that is paused, and as what. */
export interface PausedSide {
  readonly library: string;
  readonly side: PauseSide;
}

/** To be tried again. */
export interface Retry {
  readonly kind: 'retry';
  /** Who is waited for, and why. */
  readonly library: string;
  readonly reason: WaitingReason;
  /** What the library or the limit requires, in milliseconds; null: our own schedule. */
  readonly retryAfterMs: number | null;
  /** Every library with an open circuit whose return is worth a try; when left out with `CIRCUIT_OPEN`, `library`. */
  readonly closed?: readonly string[];
  /** Every pause whose end is worth a try; when left out with `PAUSED`, that of `library` as lending library. */
  readonly paused?: readonly PausedSide[];
  readonly made?: MadeCopy;
  /** The question that it waits for. */
  readonly question?: NonNullable<JobData['question']>;
  readonly asks?: NonNullable<JobData['asks']>;
  /** The item may still be checked out by what was sent: however late it is, another look comes before the end. */
  readonly mustLook?: boolean;
  /** What it comes to once `give_up_after` is over. */
  readonly otherwise: End;
}

/** What one run of a job came to: the only result between the workflow and the queue. */
export type Result = Done | Retry;

/** What it came to, as a code. */
export function codeOf(result: Result | CopyThere): string {
  if (result.kind === 'there') return result.made.outcome;
  return result.kind === 'done' ? result.outcome : result.reason;
}

export const done = (end: End): Done => ({ kind: 'done', ...end });

/** Needed to see a patron with our home key at another branch (`Koha/Patron.pm`, `can_see_patrons_from`). */
export const SEE_ALL = 'borrowers: view_borrower_infos_from_any_libraries';

/** A set-up of a library that a person must fix. */
export const misconfigured = (
  library: string,
  { what, name }: Omit<NonNullable<Progress['problem']>, 'library'>,
): Done => done({ outcome: 'MISCONFIGURED', problem: { library, what, name } });

/** At a lending library that only observes: what would have been done, and was not. */
export const observed = (category: string | null, reasons: readonly ('CARD_CHANGED' | 'REKEYED')[]): Done =>
  done({ outcome: 'OBSERVED', reasons, observed: { category } });

export const NOT_ASKED: CheckoutOutcome = { result: 'NOT_ASKED', keys: [] };
export const TOO_LATE: CheckoutOutcome = { result: 'TOO_LATE', keys: [] };

/** What an event comes to whose copy is there. */
export const endOf = (
  { outcome, reasons, home, home_key, patron_id: patronId }: MadeCopy,
  checkout: CheckoutOutcome,
): End => ({
  outcome,
  reasons,
  homes: [home],
  patronId,
  copy: { homeKey: home_key, patronId },
  checkout,
});

/** Whether a checkout was sent of which Koha has not said what came of it: the item may be out. */
const mayBeOut = (made: MadeCopy | null): boolean => made?.look_from_ms !== undefined;

/** What is known of a checkout that ends like this now. */
export const checkoutNow = (made: MadeCopy | null, otherwise: CheckoutOutcome): CheckoutOutcome =>
  mayBeOut(made) ? { result: 'NO_ANSWER', keys: [] } : otherwise;

/** The copy is there, and nobody may check the item out any more. */
export const checkoutTooLate = (made: MadeCopy): End => endOf(made, checkoutNow(made, TOO_LATE));

/** The same end of an event that its library has cancelled, since nothing was checked out. */
export const cancelledEnd = ({ homes, patronId, copy, checkout }: End): End => ({
  outcome: 'CANCELLED',
  ...(homes === undefined || patronId === undefined ? {} : { homes }),
  ...(patronId === undefined ? {} : { patronId }),
  ...(copy === undefined ? {} : { copy }),
  ...(checkout === undefined ? {} : { checkout }),
});

/** What an end says of its checkout that "cancelled" would hide. */
const SAYS_MORE: ReadonlySet<CheckoutOutcome['result']> = new Set([
  'CHECKED_OUT',
  'ALREADY_CHECKED_OUT',
  'NO_ANSWER',
]);

/**
 * What a result comes to where the event was cancelled before it could be written. Null: it stands, since the item is checked
 * out, or may be and must be looked for, or nothing would have been written anyway (a refusal, a card that nobody knows).
 * `made`: the copy that the job has then. A run that was to look for a checkout and could not says nothing of it.
 */
export function ifCancelled(result: Result, made: MadeCopy | null): End | null {
  if (result.kind === 'retry') {
    if (result.mustLook === true || mayBeOut(made)) return null;
    return cancelledEnd(made === null ? { outcome: 'CANCELLED' } : endOf(made, NOT_ASKED));
  }
  const { outcome, checkout } = result;
  if (checkout !== undefined && SAYS_MORE.has(checkout.result)) return null;
  if (isFailure(outcome) && mayBeOut(made)) return null;
  return isFailure(outcome) || outcome === 'COPIED' || outcome === 'ALREADY_LOCAL'
    ? cancelledEnd(result)
    : null;
}

/** Other jobs write for this patron, or create copies at the lending library, before this one; that is no attempt. */
export const othersFirst = (
  { lending, made }: Pick<Scan, 'lending' | 'made'>,
  homes: readonly string[],
  retryAfterMs: number | null,
): Retry => ({
  kind: 'retry',
  library: lending,
  reason: 'BUSY',
  retryAfterMs,
  otherwise: made === null ? { outcome: 'LENDING_UNREACHABLE', homes } : checkoutTooLate(made),
});

/** An end that names the home of a copy that was sent, in this run or an earlier one, where that may be there. */
export function withSentHome<T extends End>(end: T, job: JobData): T {
  const last = disclosuresOf(job).at(-1);
  const mayBeThere = last !== undefined && last.create !== false && COPY_MAY_BE_THERE[end.outcome];
  return mayBeThere ? { homes: [last.home], ...end } : end;
}

/**
 * Whether nobody can say, at this outcome, if a copy that was sent is there: then its home is named all the same. A new outcome does
 * not compile without a row.
 */
const COPY_MAY_BE_THERE: Readonly<Record<Outcome, boolean>> = {
  COPIED: false,
  ALREADY_LOCAL: false,
  NOT_FOUND: false,
  NOT_A_CARD: false,
  AMBIGUOUS_HOME: false,
  NOT_ELIGIBLE: false,
  LOOKS_LIKE_LOCAL_PATRON: false,
  LOCAL_CONFLICT: false,
  HOME_GONE: false,
  MERGED_INTO_NATIVE: false,
  COPY_ANONYMIZED: false,
  OBSERVED: false,
  CANCELLED: true,
  CONSENT_REFUSED: false,
  CONSENT_LAPSED: false,
  CONSENT_AT_DESK: false,
  HOME_UNREACHABLE: true,
  LENDING_UNREACHABLE: true,
  LENDING_REFUSED: false,
  MISCONFIGURED: false,
  TOO_LATE: false,
};

/** What an event has disclosed so far, one entry for each patron, oldest first. */
export function disclosuresOf({
  made,
  sent,
  sent_before: before = [],
}: JobData): NonNullable<JobData['sent']>[] {
  const fields = made?.disclosed ?? null;
  // A job of an earlier version may say it only of the copy that it made.
  const ofMade =
    made === null || fields === null ? null : { home: made.home, home_key: made.home_key, fields };
  const last = sent ?? ofMade;
  return last === null ? [...before] : [...before, last];
}
