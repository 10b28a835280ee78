export {
  noteDelayed,
  noteDelayedReport,
  notePaused,
  promotePaused,
  countDelayedReports,
  librariesWithDelayed,
  promoteDelayed,
} from './delayed-jobs.ts';
