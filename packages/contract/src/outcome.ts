import * as z from 'zod';

/** How a job can end well, in the sense that no person has to fix anything. */
export const RESULTS = [
  'COPIED',
  'ALREADY_LOCAL',
  'NOT_FOUND',
  'NOT_A_CARD',
  'AMBIGUOUS_HOME',
  'NOT_ELIGIBLE',
  'LOOKS_LIKE_LOCAL_PATRON',
  'LOCAL_CONFLICT',
  'HOME_GONE',
  'MERGED_INTO_NATIVE',
  'COPY_ANONYMIZED',
  'OBSERVED',
  'CANCELLED',
  'CONSENT_REFUSED',
  'CONSENT_LAPSED',
  'CONSENT_AT_DESK',
] as const;
/** How a job can fail: it stays in the failed set, for a person. */
export const FAILURES = [
  'HOME_UNREACHABLE',
  'LENDING_UNREACHABLE',
  'LENDING_REFUSED',
  'MISCONFIGURED',
  'TOO_LATE',
] as const;
/**
 * The outcomes that an alert looks for: each is counted from zero on, because the first of a series that was not there before is no
 * increase to Prometheus.
 */
export const ALERTED_OUTCOMES = [...FAILURES, 'MERGED_INTO_NATIVE', 'COPY_ANONYMIZED'] as const;
export const OUTCOMES = [...RESULTS, ...FAILURES] as const;
export type Outcome = (typeof OUTCOMES)[number];
export type Failure = (typeof FAILURES)[number];

/** Whether this outcome leaves the job in the failed set. */
export function isFailure(outcome: Outcome): outcome is Failure {
  return (FAILURES as readonly string[]).includes(outcome);
}

/** What an end means for the person at the desk. Every chart, table and sum of scans counts by these. */
export const OUTCOME_GROUPS = [
  'served',
  'observed',
  'unknown card',
  'desk decides',
  'declined',
  'failed',
] as const;
export type OutcomeGroup = (typeof OUTCOME_GROUPS)[number];

/** The group of each outcome. `declined`: the desk cancelled, or the patron did not agree, and no library refused anybody. */
export const OUTCOME_GROUP: Readonly<Record<Outcome, OutcomeGroup>> = {
  COPIED: 'served',
  ALREADY_LOCAL: 'served',
  OBSERVED: 'observed',
  NOT_FOUND: 'unknown card',
  NOT_A_CARD: 'unknown card',
  HOME_GONE: 'unknown card',
  AMBIGUOUS_HOME: 'desk decides',
  NOT_ELIGIBLE: 'desk decides',
  LOOKS_LIKE_LOCAL_PATRON: 'desk decides',
  LOCAL_CONFLICT: 'desk decides',
  MERGED_INTO_NATIVE: 'desk decides',
  COPY_ANONYMIZED: 'desk decides',
  CANCELLED: 'declined',
  CONSENT_REFUSED: 'declined',
  CONSENT_LAPSED: 'declined',
  CONSENT_AT_DESK: 'declined',
  HOME_UNREACHABLE: 'failed',
  LENDING_UNREACHABLE: 'failed',
  LENDING_REFUSED: 'failed',
  MISCONFIGURED: 'failed',
  TOO_LATE: 'failed',
};

/** Why a patron may not borrow here, in the order in which a desk reads them. */
export const ELIGIBILITY_REASONS = [
  'EXPIRED',
  'RESTRICTED',
  'CARD_LOST',
  'ADDRESS_UNCONFIRMED',
  'DEBT_OVER_LIMIT',
  'UNDER_AGE',
  'CATEGORY_NOT_ELIGIBLE',
  'UNVERIFIABLE',
  'INCOMPLETE_RECORD',
] as const;
export type EligibilityReason = (typeof ELIGIBILITY_REASONS)[number];

/** The reasons that are a rule of the lending library's own, and no verdict of home's: it may have staff override them. */
export type SoftReason = Extract<EligibilityReason, 'ADDRESS_UNCONFIRMED' | 'DEBT_OVER_LIMIT' | 'UNDER_AGE'>;

/** Why staff override a refusal, in the order in which a desk reads them. */
export const OVERRIDE_REASONS = [
  'SETTLED_AT_HOME',
  'GUARANTOR_PRESENT',
  'DOCUMENT_SEEN',
  'LIBRARY_DECIDED',
] as const;
export type OverrideReason = (typeof OVERRIDE_REASONS)[number];

/**
 * What staff can be asked about a scan: at home in which of the libraries that have the card, and why a refusal is overridden. An event
 * that waits for the answer names the question as its waiting reason.
 */
export const QUESTIONS = ['HOME_CHOICE', 'OVERRIDE'] as const;
export type Question = (typeof QUESTIONS)[number];

/** Why the patron of a copy would not be copied today: `eligibility`, and what has ended between the two libraries. */
export const STANDING_REASONS = [
  ...ELIGIBILITY_REASONS,
  /** The home library does not share the patron any more. */
  'NOT_SHARED',
  /** The home library has anonymised the record. */
  'HOME_GONE',
  /** The two libraries have no agreement any more. */
  'NO_AGREEMENT',
] as const;
export type StandingReason = (typeof STANDING_REASONS)[number];

/** `PAUSED`: of a failure, that a library was paused by an operator all the while. */
export const REASONS = [...ELIGIBILITY_REASONS, 'CARD_CHANGED', 'REKEYED', 'PAUSED'] as const;
export type Reason = (typeof REASONS)[number];

export const CHECKOUT_RESULTS = [
  'CHECKED_OUT',
  'ALREADY_CHECKED_OUT',
  'NEEDS_CONFIRMATION',
  'BLOCKED',
  'ITEM_NOT_FOUND',
  'TOO_LATE',
  /** It was sent, and Koha has not answered what came of it: the item may be checked out. */
  'NO_ANSWER',
  'NOT_ASKED',
] as const;
export type CheckoutResult = (typeof CHECKOUT_RESULTS)[number];

export const WAITING_REASONS = [
  'NO_ANSWER',
  'CIRCUIT_OPEN',
  'BUSY',
  'RATE_LIMITED',
  'LIMIT_REACHED',
  'SERVICE_UPDATE',
  'PAUSED',
  'CONSENT',
  ...QUESTIONS,
] as const;
export type WaitingReason = (typeof WAITING_REASONS)[number];

/** Why an event waits, as its state says it: no worker can write that there is none. */
export const SHOWN_WAITING_REASONS = [...WAITING_REASONS, 'NO_WORKER'] as const;
export type ShownWaitingReason = (typeof SHOWN_WAITING_REASONS)[number];

/** What is wrong, for `MISCONFIGURED`. `record`: a record that the library's own Koha cannot show, for the sake of the field that is named. */
export const PROBLEMS = [
  'credentials',
  'permission',
  'category',
  'branch',
  'attribute_type',
  'mandatory_attribute',
  'record',
  'other',
] as const;
export type ProblemKind = (typeof PROBLEMS)[number];

const libraryName = z.strictObject({ id: z.string(), name: z.string() });
const waitingFor = z.strictObject({
  library: z.string(),
  reason: z.enum(WAITING_REASONS),
  /** For `PAUSED` the end of the pause: it is tried again then, or as soon as an operator ends the pause. */
  next_try_at: z.iso.datetime({ offset: true }),
  /** When it is given up; a worker of an earlier version does not say. */
  gives_up_at: z.iso.datetime({ offset: true }).optional(),
  /** Nothing is checked out later than this; missing where nothing is. */
  checkout_by: z.iso.datetime({ offset: true }).optional(),
});

/** Everything of an event's state that the worker decides; all else in {@link eventStateSchema} follows from it and from the queue. */
export const progressSchema = z.strictObject({
  /** Written states have odd numbers; a running job shows the even number after its last written one. */
  seq: z.int().positive(),
  state: z.enum(['queued', 'waiting', 'done', 'failed']),
  outcome: z.enum(OUTCOMES).nullable(),
  reasons: z.array(z.enum(REASONS)),
  homes: z.array(libraryName),
  patron_id: z.int().nullable(),
  checkout: z
    .strictObject({ result: z.enum(CHECKOUT_RESULTS), keys: z.array(z.string().regex(/^[A-Z][A-Z0-9_]*$/)) })
    .nullable(),
  waiting_for: waitingFor.nullable(),
  problem: z
    .strictObject({ library: z.string(), what: z.enum(PROBLEMS), name: z.string().nullable() })
    .nullable(),
  /** Of `OBSERVED`: the category that a copy would have got; null where the copy is there, and would have been changed. */
  observed: z.strictObject({ category: z.string().nullable() }).optional(),
  attempt: z.int().nonnegative(),
  updated_at: z.iso.datetime({ offset: true }),
});
export type Progress = z.infer<typeof progressSchema>;

/** The state of an event as the status route, the plugin and the command line show it (docs/integrating.md). */
export const eventStateSchema = progressSchema.extend({
  event_id: z.string(),
  library: z.string(),
  state: z.enum(['queued', 'working', 'waiting', 'done', 'failed']),
  /** `NO_WORKER` comes with any state that is not final, and nobody knows when there will be a worker. */
  waiting_for: waitingFor
    .extend({ reason: z.enum(SHOWN_WAITING_REASONS), next_try_at: waitingFor.shape.next_try_at.nullable() })
    .nullable(),
  /** The full name of each library that the state mentions; a receiver of an earlier version names none. */
  libraries: z.array(libraryName).default([]),
  /** While it waits for the patron's consent: the library's own text, by language, and when the question lapses. */
  consent: z
    .strictObject({
      text_id: z.string(),
      texts: z.record(z.string(), z.string()),
      answer_by: z.iso.datetime({ offset: true }),
    })
    .optional(),
  /** While it waits for a decision of staff: what can be decided, and when that lapses. Of a choice the options are ids of `homes`. */
  asks: z
    .strictObject({
      question: z.enum(QUESTIONS),
      options: z.array(z.string()),
      answer_by: z.iso.datetime({ offset: true }),
    })
    .optional(),
  message: z.string(),
  scanned_at: z.string(),
});
export type EventState = z.infer<typeof eventStateSchema>;

/** What a cancel came to; only the last two leave it to the state what happens. */
export const CANCEL_RESULTS = [
  /** Nothing was written at the lending library, and nothing will be. */
  'NOTHING_WRITTEN',
  /** The copy is there or on its way; nothing was checked out, and nothing will be. */
  'CHECKOUT_STOPPED',
  /** The event had ended before. */
  'ENDED',
  /** A checkout may be on its way: the state says, in a moment, whether it was made. */
  'PENDING',
] as const;
export type CancelResult = (typeof CANCEL_RESULTS)[number];

/** The answer to a cancel, as the receiver gives it and the plugin hands it on. */
export const cancelAnswerSchema = z.strictObject({
  event_id: z.string(),
  result: z.enum(CANCEL_RESULTS),
  state: eventStateSchema,
});
export type CancelAnswer = z.infer<typeof cancelAnswerSchema>;
