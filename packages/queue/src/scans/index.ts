export { type ScanJobs, openScanQueue, addScans, librariesWithActiveScans } from './scan-queue.ts';
export { type JobDataWriter, buildJobDataWriter } from './job-data.ts';
export { STALE_LUA } from './backlog-script.ts';
export { type QueueFigures, readQueue } from './queue-reading.ts';
export { type Cancelled, cancelEvent } from './cancel-event.ts';
export { IS_CANCELLED_LUA, wasCancelled, CANCELLED_AHEAD_LUA, isCancelledAhead } from './cancel-marks.ts';
export { readEventState, watchEvents } from './event-state.ts';
export {
  type AnswerRecorded,
  type StoredConsent,
  type StoredDecision,
  answerConsent,
  answerDecision,
  goOnIfAnswered,
  isDeskQuestion,
  readConsent,
  readDecision,
} from './desk-answer.ts';
export { delayActive } from './delay-active.ts';
export { promoteOverdue } from './clock-step.ts';
export { type EventCounts, countEvents } from './event-counts.ts';
