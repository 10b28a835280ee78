export { foldCard, sameCard } from './card.ts';
export { type ConsentAnswer, consentAnsweredSchema, parseConsent } from './consent.ts';
export { type Decision, parseDecision, scanDecidedSchema } from './decision.ts';
export {
  type ParsedEvent,
  type PatronNotFound,
  LONGEST_KEPT_DAYS,
  REMEMBERED_HOURS,
  ageAtDeliveryMs,
  dayOfScan,
  findCancelFault,
  parseEvent,
  patronNotFoundSchema,
  patronSeenSchema,
  scanCancelledSchema,
} from './event.ts';
export {
  type DeliveryHeaders,
  type SignatureHeader,
  TIMESTAMP_TOLERANCE_SECONDS,
  formatWebhookSecret,
  isEventId,
  isSignedWith,
  parseWebhookSecret,
  readDeliveryHeaders,
  secondsOutsideWindow,
  signDelivery,
} from './signature.ts';
export {
  SHOWN_WAITING_REASONS,
  ALERTED_OUTCOMES,
  CANCEL_RESULTS,
  type CancelAnswer,
  type CancelResult,
  CHECKOUT_RESULTS,
  ELIGIBILITY_REASONS,
  type EligibilityReason,
  type EventState,
  FAILURES,
  OUTCOMES,
  type Outcome,
  OVERRIDE_REASONS,
  type OverrideReason,
  PROBLEMS,
  type ProblemKind,
  type Progress,
  type Question,
  type Reason,
  OUTCOME_GROUP,
  OUTCOME_GROUPS,
  type OutcomeGroup,
  type SoftReason,
  STANDING_REASONS,
  type StandingReason,
  WAITING_REASONS,
  type WaitingReason,
  cancelAnswerSchema,
  eventStateSchema,
  isFailure,
} from './outcome.ts';
export { type Attempt, type AttemptCall, withAttempt } from './attempt.ts';
export {
  LONGEST_COUNTED_MS,
  type LibraryStatus,
  MOST_LISTED_FAILURES,
  MOST_LISTED_FINDINGS,
  MOST_LISTED_PARTNERS,
  libraryStatusSchema,
  parseStatusRequest,
  statusRequestedSchema,
} from './library-status.ts';
export {
  OPEN_FINDINGS,
  type OpenFindingCode,
  commandsFor,
  isOpenFinding,
  patronPage,
} from './open-finding.ts';
export { SERVICE_FINDINGS, type ServiceFindingCode } from './service-finding.ts';
export { installedCommand, installedText, startCommand } from './installed.ts';
export { OPERATOR_PAGES, operatorLink, runbookPath } from './operator-pages.ts';
export {
  SET_UP_FINDINGS,
  type SetUpFindingCode,
  isSetUpFinding,
  setUpFindingText,
  setUpSection,
} from './set-up-finding.ts';
export {
  MOST_LISTED_COPIES,
  type PatronElsewhere,
  elsewhereRequestedSchema,
  parseElsewhereRequest,
  patronElsewhereSchema,
} from './patron-elsewhere.ts';
export { type RedisTarget, RedisUrlError, parseRedisUrl } from './redis-url.ts';
export {
  type JobData,
  cancelledJob,
  eventStateOf,
  jobSchema,
  nextProgress,
  queuedProgress,
  stateWithoutWorker,
  copyMayBeThere,
  encryptionContext,
} from './job.ts';
export { type ParsedJob, parseJob, queuedJob, rewriteJob } from './parse-job.ts';
export {
  JOIN_PATH,
  JOIN_REQUEST_TOLERANCE_SECONDS,
  type JoinInvitation,
  type JoinRequest,
  type JoinSecrets,
  LONGEST_JOIN_REQUEST,
  formatJoinLink,
  formatPastedRequest,
  isJoinMac,
  joinEnvelopeSchema,
  joinFingerprint,
  joinMac,
  joinRequestSchema,
  parseJoinRequest,
  readJoinEnvelope,
  readPastedRequest,
  unsealJoinSecrets,
} from './join.ts';
export {
  NOTIFICATION_TOPICS,
  NOTIFICATION_TYPES,
  type NotificationFact,
  type NotificationMessage,
  type NotificationTopic,
  type NotificationType,
} from './notification.ts';
export {
  COPY_FIELDS,
  type CopyField,
  FIELD_GROUPS,
  type FieldGroup,
  type FieldLimit,
  PATRON_FIELDS,
  type PatronField,
  SETTABLE_FIELDS,
} from './patron-fields.ts';
export { parsePatronNumber } from './patron-number.ts';
