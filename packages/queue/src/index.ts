export { hasLostLock } from './bullmq-error.ts';
export {
  CLOCK_KEY,
  QUEUE_PREFIX,
  SCANS,
  TELLINGS,
  backlogKey,
  guardKey,
  jobIdOf,
  parkedKey,
} from './keys.ts';
export { type Gate, type GateAnswer, type GateQuestion, buildGate } from './gate.ts';
export { DESK_BACKOFF, type ScanJobs, addScans, openScanQueue, readEventState } from './scan-queue.ts';
export { type KeptLimits, type KeptSweep, buildKeptSweep } from './kept-events.ts';
export { type KeptFigures, readKept } from './kept-reading.ts';
export { promoteOversleeping } from './clock-step.ts';
export { LenientWorker } from './lenient-job.ts';
export { followEvent } from './event-pointer.ts';
export { type ReplicaCheck, buildReplicaCheck } from './replica-check.ts';
export { type Admission, type HourLimits, type HourUse, type Ledger, openLedger } from './ledger.ts';
export { type PersonRetry, retryByPerson } from './retry-by-person.ts';
export { type DisclosureReceipt, type Receipts, openReceipts, readReceipts } from './receipts.ts';
export {
  type LibraryCondition,
  type LibrarySighting,
  type LibraryState,
  readLibraryStates,
  retireSightings,
  writeSighting,
} from './library-board.ts';
export { type OutcomeCount, readOutcomeCounts } from './outcome-counts.ts';
export {
  EVENT_STATES,
  type EventFilterState,
  type ListedEvent,
  listEvents,
  listedEventOf,
} from './events.ts';
export { type QueueFigures, readQueue } from './queue-reading.ts';
export { type LogRewrite, rewriteLogWhenDue } from './rewrite-log.ts';
export { readRedis } from './redis-reading.ts';
export { countParkedReports, park, parkReport, parkedLibraries, wakeParked } from './parking.ts';
export { type EndWrite, buildEndWrite } from './end-write.ts';
export { type HeldWrite, buildHeldWrite } from './held-write.ts';
export { buildItemSweep, cleanByAge, noteItem } from './retention.ts';
export { type CreatePlaces, type HeldPlace, type PlaceHolder, openCreatePlaces } from './create-place.ts';
export { type TurnHolder, type Turns, openTurns } from './turn.ts';
export {
  type TellJobs,
  type Telling,
  cleanTellings,
  openTellQueue,
  tellLater,
  tellingSchema,
} from './tell-queue.ts';
