export { hasLostLock } from './bullmq-error.ts';
export {
  CLOCK_KEY,
  QUEUE_PREFIX,
  SCANS,
  SWEEPS,
  REPORTS,
  backlogKey,
  idempotencyKey,
  jobIdOf,
  delayedKey,
} from './keys.ts';
export {
  type AdmitEvents,
  type AdmissionAnswer,
  type AdmissionRequest,
  buildAdmission,
} from './admission.ts';
export { type ScanJobs, addScans, openScanQueue } from './scan-queue.ts';
export { buildKeptSweep } from './kept-events.ts';
export { readKept } from './kept-reading.ts';
export {
  type ConsentRecorded,
  type StoredConsent,
  answerConsent,
  goOnIfAnswered,
  readConsent,
} from './consent-answer.ts';
export { promoteOverdue } from './clock-step.ts';
export { type Cancelled, cancelEvent } from './cancel-event.ts';
export { isCancelledAhead } from './cancelled-ahead.ts';
export { wasCancelled } from './cancel-mark.ts';
export { delayActive } from './delay-active.ts';
export {
  type FetchState,
  type FetchTimings,
  type FetchWatch,
  decideFetching,
  startFetchWatch,
} from './fetch-watch.ts';
export { LenientWorker } from './lenient-job.ts';
export { readEventState } from './event-state.ts';
export { buildHasWorker } from './has-worker.ts';
export { type ReplicaCheck, buildReplicaCheck } from './replica-check.ts';
export { hourUseOf } from './hour-use.ts';
export { takeRefreshQuota } from './refresh-quota.ts';
export { readHourUse } from './hour-reading.ts';
export { type SeenCertificate, readCertificates, writeCertificate } from './certificates.ts';
export { type FailingEndpoint, openDeliveryNotes } from './delivery-notes.ts';
export { type Notice, type Notices, type Notified, notifiedField, openNotices } from './notices.ts';
export { type QuotaReservation, type Ledger, openLedger } from './ledger.ts';
export { NO_HOME, OTHER_HOMES, monthOf, statisticsOf } from './statistics.ts';
export {
  STATISTICS_DIMENSIONS,
  type StatisticsCount,
  type StatisticsDimension,
  type StatisticsRow,
  type StatisticsSums,
  lastMonths,
  monthsBetween,
  readStatistics,
  sumStatistics,
} from './statistics-reading.ts';
export { statisticsCsv } from './statistics-csv.ts';
export { ACTS, type ActName, actOf } from './act.ts';
export { type ActKeeper, openActKeeper } from './keep-acts.ts';
export { startAudit } from './start-audit.ts';
export {
  ANY_ACT,
  type ActSearch,
  type FoundActs,
  type ListedAct,
  findActs,
  isActPlace,
} from './find-acts.ts';
export { actJson, actsCsv, detailsText } from './acts-csv.ts';
export { type PersonRetry, retryByPerson } from './retry-by-person.ts';
export {
  type CopyRecord,
  type ReadCopyRecords,
  buildCopyRecordReader,
  dropCopyRecords,
  findCopyRecords,
  noteCopiesSeen,
  readCopyRecords,
  rekeyCopyRecord,
  trimCopyRecords,
} from './copy-records.ts';
export { type BegunDeletion, beginDeletion, dropDeletion, readDeletions } from './deletions.ts';
export {
  type DisclosureReceipt,
  type Receipts,
  type StoredReceipt,
  openReceipts,
  readReceipts,
  readStoredReceipts,
  removeReceipts,
} from './receipts.ts';
export {
  type LibraryCondition,
  type LibraryHealth,
  type LibraryState,
  readLibraryStates,
  retireHealth,
  writeHealth,
} from './library-health.ts';
export {
  LIVE_MS,
  PROCESS_KINDS,
  type ProcessIdentity,
  type ProcessKind,
  type ProcessNote,
  type SeenProcess,
  announceProcess,
  readProcesses,
} from './live-processes.ts';
export {
  PAUSE_SIDES,
  type Pause,
  type PauseSide,
  pauseLibraries,
  readControl,
  requestReload,
  resumeLibrary,
} from './control.ts';
export { type Pauses, buildPauses } from './pauses.ts';
export {
  type RegisteredProcess,
  type Registration,
  type Reloaded,
  registerProcess,
} from './register-process.ts';
export { type OutcomeCount, readOutcomeCounts, readOutcomesOf } from './outcome-counts.ts';
export { EVENT_STATES, type EventFilterState, type ListedEvent, listedEventOf } from './events.ts';
export { countEvents } from './event-counts.ts';
export { ANY_EVENT, type EventSearch, type FoundEvents, findEvents } from './find-events.ts';
export { type FailedEvent, type FailedEvents, listFailed } from './failed-events.ts';
export { watchEvents } from './changed-events.ts';
export { type QueueFigures, readQueue } from './queue-reading.ts';
export { rewriteLogWhenDue } from './rewrite-log.ts';
export { readRedis } from './redis-reading.ts';
export { queueMetrics } from './queue-metrics.ts';
export { redisMetrics } from './redis-metrics.ts';
export {
  countDelayedReports,
  noteDelayed,
  noteDelayedReport,
  notePaused,
  librariesWithDelayed,
  promoteDelayed,
  promotePaused,
} from './delayed-jobs.ts';
export { type JobDataWriter, buildJobDataWriter } from './job-data.ts';
export { buildItemSweep, cleanByAge, noteItem } from './retention.ts';
export { type ClaimCreate, type ClaimResult, type CreateClaim, buildClaimCreate } from './create-claim.ts';
export { librariesWithActiveScans } from './active-scans.ts';
export type { OwnedLock } from './owned-lock.ts';
export { putOff, refuseForGood } from './put-off.ts';
export {
  type Nightly,
  type NightlyKind,
  type NightlySeen,
  dropSchedules,
  nightlyOf,
  noteDone,
  queueDue,
  readSchedules,
} from './schedules.ts';
export {
  type CopiesJob,
  type SweepJob,
  type SweepJobs,
  type SweepState,
  type SweptHome,
  copiesJobSchema,
  noteMissing,
  openSweepLock,
  openSweepQueue,
  openUnanswered,
  readMissing,
  readSweep,
  writeSweep,
} from './sweeps.ts';
export {
  type OwedPage,
  type OwedProgress,
  type ReadSoFar,
  NOTHING_READ,
  openOwedProgress,
} from './owed-progress.ts';
export { type OwedJob, type OwedReading, type OwedRow, readOwed, readOwedByHome, writeOwed } from './owed.ts';
export { type CopyRefresh, type SeenCopies, type TakenCopy, openSeenCopies } from './refreshes.ts';
export { parseStored } from './parse-stored.ts';
export { dropUnremembered, lockUnremembered, noteUnremembered, readUnremembered } from './unremembered.ts';
export { type CreatePlaces, type CreatePlace, type PlaceOwner, openCreatePlaces } from './create-place.ts';
export { type LockOwner, type PatronLocks, type ReleaseLock, openPatronLocks } from './patron-lock.ts';
export {
  type ReportJobs,
  type QueuedReport,
  cleanReports,
  openReportQueue,
  queueReport,
  reportSchema,
} from './report-queue.ts';
