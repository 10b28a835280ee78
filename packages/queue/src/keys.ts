/**
 * All keys share one hash tag, so that a cluster keeps them in one slot and a script may touch several of them.
 * The whole product therefore lives on one shard of a cluster; more shards add no capacity (docs/scale.md).
 *
 * Processes of other versions read and write the same keys, so from the first release on a name in Redis never changes.
 */
export const QUEUE_PREFIX = '{passport}';
/** The one BullMQ queue of scans. */
export const SCANS = 'scans';
/** The queue of reports to a Koha that did not take them at once. */
export const REPORTS = 'reports';

/** The queue of sweeps over the copies of a library. */
export const SWEEPS = 'sweeps';

const key = (...parts: readonly string[]): string => [QUEUE_PREFIX, ...parts].join(':');

/** BullMQ's id of an event's job: two libraries may use the same `webhook-id`. Neither part contains a dot. */
export function jobIdOf(library: string, eventId: string): string {
  return `${library}.${eventId}`;
}

/** BullMQ's hash of a job; read by our scripts, written by BullMQ alone but for its data (job-data.ts). */
export const jobKey = (jobId: string): string => key(SCANS, jobId);
export const jobKeyPrefix = key(SCANS, '');
/** BullMQ's list of active jobs. */
export const activeKey = key(SCANS, 'active');
/** BullMQ's sorted set of delayed jobs. */
export const delayedJobsKey = key(SCANS, 'delayed');
/** BullMQ's sorted sets of failed, completed and waiting jobs. */
export const failedKey = key(SCANS, 'failed');
export const completedKey = key(SCANS, 'completed');
export const prioritizedKey = key(SCANS, 'prioritized');
/** BullMQ's stream of the last changes of jobs. */
export const changesKey = key(SCANS, 'events');

/** An event's idempotency key: the keyed hash of its body, whether it has ended, and the first event's id if coalesced. */
export const idempotencyKey = (library: string, eventId: string): string =>
  key('idempotency', jobIdOf(library, eventId));
export const idempotencyKeyPrefix = key('idempotency', '');
/** The first event of a double scan, under the keyed hash of library, card and item. */
export const coalescingKey = (library: string, hash: string): string => key('coalescing', library, hash);
/** GCRA's theoretical arrival time of a library's events. */
export const rateKey = (library: string): string => key('rate', library);
/** A library's unfinished events, by time of acceptance. */
export const backlogKey = (library: string): string => key('backlog', library);
/** A library's events that were cancelled before they came. */
export const cancelledAheadKey = (library: string): string => key('cancelled', library);
/** Copies, misses, decisions or refreshes of the last hour, by time. */
export const hourKey = (kind: 'copies' | 'misses' | 'verdicts' | 'refreshes', library: string): string =>
  key('hour', kind, library);
/** A library's ended events whose jobs are kept, by the time of their end. */
export const keptKey = (kind: KeptKind, library: string): string => key('kept', kind, library);
export const KEPT_KINDS = ['finished', 'failed'] as const;
export type KeptKind = (typeof KEPT_KINDS)[number];
/** The ids that a library has idempotency keys for, oldest first. */
export const rememberedKey = (library: string): string => key('remembered', library);
/** What was written into a library's copies and is not stored with its Koha yet, and the lock of who stores it. */
export const unrememberedKey = (library: string): string => key('unremembered', library);
export const unrememberedLockKey = (library: string): string => key('unremembered', library, 'lock');
/** Scans that wait for the end of a pause: of `LIBRARY.home` or `LIBRARY.lending` instead of a library. */
export const PAUSED = 'paused';
/** What may wait for a library: scans and reports for its circuit to close, and scans for the end of a pause. */
export type DelayedKind = typeof SCANS | typeof REPORTS | typeof PAUSED;
const DELAYED_KINDS = { scans: 'delayed', reports: 'delayed-reports', paused: 'paused' } as const;
const delayedKind = (kind: DelayedKind): string => DELAYED_KINDS[kind];
/** The jobs of this kind that wait for a library. */
export const delayedKey = (library: string, kind: DelayedKind = SCANS): string =>
  key(delayedKind(kind), library);
/** The libraries that have delayed jobs of this kind. */
export const delayedLibrariesKey = (kind: DelayedKind): string => key(delayedKind(kind));
/** One key per patron lock; `name` is a lending library and a home key. */
export const patronLockKey = (name: string): string => key('patron-lock', name);
/** The place where a library's copies are created, and the line for it. */
export const createPlaceKeys = (library: string): readonly [place: string, line: string] => [
  key('create', library),
  key('create', library, 'line'),
];
/** The name of BullMQ's back-off for reports, which their jobs contain; the worker decides the delays. */
export const REPORT_BACKOFF = 'report';
/** Outcomes of one hour (`2026-11-25T09`), counted per library and outcome. */
export const outcomesKey = (hour: string): string => key('outcomes', hour);
/** Events that ended in one month (`2026-11`, UTC) at one lending library, counted by home and code; and which libraries have counts. */
export const statisticsKey = (month: string, library: string): string => key('statistics', month, library);
export const statisticsLibrariesKey = (month: string): string => key('statistics', month);
/** Loans of visitors in one month at one lending library, counted by home, branch and kind; and which libraries have counts. */
export const loansKey = (month: string, library: string): string => key('loans', month, library);
export const loansLibrariesKey = (month: string): string => key('loans', month);
/** The days of a lending library that are counted again, and how far the counting has come. */
export const loanDaysKey = (library: string): string => key('loan-days', library);
/** What the workers last saw of a library. */
export const libraryKey = (library: string): string => key('library', library);
/** The report of a library's last sweep and where it is, or of its last dry run; the lock of the one that runs. */
export const sweepKey = (library: string, isDry: boolean): string =>
  isDry ? key('sweep-dry', library) : key('sweep', library);
export const sweepLockKey = (library: string): string => key('sweep-lock', library);
/** The home keys that a home library has not answered for so far, in the sweep that runs or in the dry run. */
export const sweepUnansweredKey = (library: string, isDry: boolean): string =>
  isDry ? key('sweep-dry', library, 'unanswered') : key('sweep', library, 'unanswered');
/** By `sweep.LIBRARY`, `owed.LIBRARY`, `loans.LIBRARY` and `set_up.LIBRARY`: when the next one is due and the last one was queued; and when the last one ended. */
export const schedulesKey = key('schedules');
export const schedulesDoneKey = key('schedules', 'done');
/** By library, what the nightly check of its set-up found (set-up.ts). */
export const setUpKey = key('set-up');
/** Since when a home library has not answered for copies at a library. */
export const sweepMissingKey = (library: string, home: string): string => key('missing', library, home);
/** By home library, what its patrons owe at a lending library. */
export const owedKey = (library: string): string => key('owed', library);
/** How far a job has come with a reading of it. */
export const owedProgressKey = (jobId: string): string => key('owed-progress', jobId);
/** The processes that announce themselves. */
export const PROCESSES_KEY = key('processes');
/** By library, what the receivers have refused since they last took something of it (service/). */
export const refusedDeliveriesKey = key('refused-deliveries');
/** Jobs of scans that failed unread, by the time of it (service/). */
export const unreadableJobsKey = key('unreadable-jobs');
/** Names the slot by whose clock the queue lives; nothing is stored there. */
export const CLOCK_KEY = key('clock');
/** Exists while the last rewrite of the append-only file is recent. */
export const rewriteKey = key('rewrite');
/** Exists while a process has lately done what one of all has to do. */
export const turnKey = (task: string): string => key('turn', task);
/** What operators have said to all processes at once, and how often that has changed. */
export const controlKey = key('control');
/** By topic and library, what operators were notified of last (notices.ts). */
export const notifiedKey = key('notified');
/** Messages to operators that were not delivered yet, and when each is due. */
export const noticesKey = key('notices');
export const noticesDueKey = key('notices', 'due');
/** Endpoints that answered 410 to a message. */
export const noticesStoppedKey = key('notices', 'stopped');
/** Since when deliveries to an endpoint fail, and how the last one did. */
export const noticesFailingKey = key('notices', 'failing');
/** Exists while somebody has lately looked for what to notify of. */
export const noticesWatchKey = key('notices', 'watch');
/** Until when the certificate of each library's Koha is valid, and when that was read. */
export const certificatesKey = key('certificates');
/** A stream of what somebody has done: `acts` and `refusals` of nobody in particular, and each account's own (keep-acts.ts). */
export const auditKey = (stream: string): string => key('audit', stream);
/** The names of the accounts' streams. */
export const auditStreamsKey = key('audit', 'streams');
/** Append-only stream of disclosure receipts. */
export const RECEIPTS_KEY = key('receipts');
/** What the service's own records say of each copy at a library, by Koha's number of the copy; and when each was last seen. */
export const copyRecordsKey = (library: string): string => key('copies', library);
export const copySeenKey = (library: string): string => key('copies-seen', library);
/** The number of a copy on record at a library, by its home key. */
export const copyOfHomeKey = (library: string): string => key('copies-home', library);
/** Copies of a library that were scanned and wait for their refresh, by when they are due: number, when it was noted, tries so far. */
export const seenCopiesKey = (library: string): string => key('seen', library);
export const seenWaitingKeyPrefix = key('seen', '');
/** Those of the last day, by when they were noted. */
export const seenTodayKey = (library: string): string => key('seen-today', library);
/** The libraries that have such copies, by their next turn; and those of which one is worked on now, or that rest, and until when. */
export const seenLibrariesKey = key('seen-libraries');
export const seenWorkingKey = key('seen-working');
/** What is open of copies at a library, by Koha's number of the copy (findings.ts). */
export const findingsKey = (library: string): string => key('findings', library);
/** Copies at a library whose deletion was begun and has no receipt yet, by Koha's number of the copy (deletions.ts). */
export const deletionsKey = (library: string): string => key('deletions', library);
/** What a rehearsal made at the Kohas and has not removed yet, in the order in which it was begun; and who holds it. */
export const rehearsalKey = key('rehearsal');
export const rehearsalLockKey = key('rehearsal', 'lock');
/** By library, the id of its open invitation to join; and an invitation with what was asked by it, until it ends (joining/). */
export const invitationsKey = key('invitations');
export const invitationKey = (invitation: string): string => key('invitation', invitation);
