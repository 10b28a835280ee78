export {
  type ParsedEvent,
  type PatronNotFound,
  SCAN_AFTER_DELIVERY_SECONDS,
  SCAN_INTERFACES,
  type ScanInterface,
  ageAtDeliveryMs,
  dayOfScan,
  parseEvent,
  patronNotFoundSchema,
} from './event.ts';
export {
  type DeliveryHeaders,
  type HeaderReading,
  MOST_SIGNATURES,
  SIGNATURE_HEADERS,
  type SignatureHeader,
  TIMESTAMP_TOLERANCE_SECONDS,
  formatWebhookSecret,
  isEventId,
  parseWebhookSecret,
  readDeliveryHeaders,
  signDelivery,
  verifyDelivery,
} from './signature.ts';
export {
  ALERTED_OUTCOMES,
  CHECKOUT_RESULTS,
  type CheckoutResult,
  ELIGIBILITY_REASONS,
  type EligibilityReason,
  type EventState,
  FAILURES,
  type Failure,
  OUTCOMES,
  type Outcome,
  PROBLEMS,
  type ProblemKind,
  type Progress,
  REASONS,
  RESULTS,
  type Reason,
  WAITING_REASONS,
  type WaitingReason,
  eventStateSchema,
  isFailure,
  progressSchema,
} from './outcome.ts';
export { messageOf } from './message.ts';
export { type RedisTarget, RedisUrlError, parseRedisUrl } from './redis-url.ts';
export {
  type JobData,
  eventStateOf,
  jobSchema,
  nextProgress,
  queuedProgress,
  encryptionContext,
} from './job.ts';
export { type ParsedJob, parseJob, rewriteJob } from './parse-job.ts';
