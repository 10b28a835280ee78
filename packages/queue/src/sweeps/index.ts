export {
  type SweepJob,
  copiesJobSchema,
  type CopiesJob,
  type SweepJobs,
  type SweepState,
  type SweptHome,
  openSweepQueue,
  openSweepLock,
  readSweep,
  writeSweep,
  openUnanswered,
  readMissing,
  noteMissing,
} from './sweeps.ts';
export {
  type NightlyKind,
  type Nightly,
  type NightlySeen,
  nightlyOf,
  queueDue,
  dropSchedules,
  noteDone,
  readSchedules,
} from './schedules.ts';
export {
  type OwedJob,
  type OwedRow,
  type OwedReading,
  readOwed,
  readOwedByHome,
  writeOwed,
  type OwedPage,
  type ReadSoFar,
  NOTHING_READ,
  type OwedProgress,
  openOwedProgress,
} from './owed.ts';
export {
  type SetUpFinding,
  type SetUpJob,
  type SetUpSeen,
  dropSetUps,
  faultsOf,
  isSilence,
  readSetUps,
  writeSetUp,
} from './set-up.ts';
export { type WorkItem, type Worklist, readWorklist } from './worklist.ts';
