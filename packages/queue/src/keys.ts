/**
 * All keys share one hash tag, so that a cluster keeps them in one slot and a script may touch several of them.
 * The whole product therefore lives on one shard of a cluster; more shards add no room (docs/scale.md).
 */
export const QUEUE_PREFIX = '{passport}';
/** The one BullMQ queue of scans. */
export const SCANS = 'scans';
/** The queue of reports to a Koha that did not take them at once. */
export const REPORTS = 'tellings';

const key = (...parts: readonly string[]): string => [QUEUE_PREFIX, ...parts].join(':');

/** BullMQ's id of an event's job: two libraries may use the same `webhook-id`. Neither part holds a dot of its own. */
export function jobIdOf(library: string, eventId: string): string {
  return `${library}.${eventId}`;
}

/** Where BullMQ keeps a job's hash; read by our scripts, written by BullMQ alone. */
export const jobKey = (jobId: string): string => key(SCANS, jobId);
export const jobKeyPrefix = key(SCANS, '');
/** BullMQ's sorted set of failed jobs. */
export const failedKey = key(SCANS, 'failed');

/** One guard per event: the keyed hash of its body, whether it has ended, and on a join the first event's id. */
export const idempotencyKey = (library: string, eventId: string): string =>
  key('guard', jobIdOf(library, eventId));
export const idempotencyKeyPrefix = key('guard', '');
/** The first event of a double scan, under the keyed hash of library, card and item. */
export const coalescingKey = (library: string, hash: string): string => key('join', library, hash);
/** GCRA's theoretical arrival time of a library's events. */
export const rateKey = (library: string): string => key('rate', library);
/** A library's unfinished events, by time of acceptance. */
export const backlogKey = (library: string): string => key('backlog', library);
/** Copies, misses or verdicts of the last hour, by time. */
export const hourKey = (kind: 'copies' | 'misses' | 'verdicts', library: string): string =>
  key('hour', kind, library);
/** A library's ended events whose jobs are kept, by the time of their end. */
export const keptKey = (kind: KeptKind, library: string): string => key('kept', kind, library);
export const KEPT_KINDS = ['finished', 'failed'] as const;
export type KeptKind = (typeof KEPT_KINDS)[number];
/** The ids that a library has guards of, oldest first. */
export const rememberedKey = (library: string): string => key('remembered', library);
/** What may wait for a library's circuit to close: scans, and reports to it. */
export type DelayedKind = typeof SCANS | typeof REPORTS;
const delayedKind = (kind: DelayedKind): string => (kind === SCANS ? 'parked' : 'parked-reports');
/** Jobs that wait for a library's circuit to close. */
export const delayedKey = (library: string, kind: DelayedKind = SCANS): string =>
  key(delayedKind(kind), library);
/** The libraries that jobs are parked for. */
export const delayedLibrariesKey = (kind: DelayedKind): string => key(delayedKind(kind));
/** Outcomes of one hour (`2026-11-25T09`), counted per library and outcome. */
export const outcomesKey = (hour: string): string => key('outcomes', hour);
/** What the workers last saw of a library. */
export const libraryKey = (library: string): string => key('library', library);
/** Names the slot by whose clock the queue lives; nothing is stored there. */
export const CLOCK_KEY = key('clock');
/** Held while the append-only file was written anew not long ago. */
export const rewriteKey = key('rewrite');
/** Append-only stream of disclosure receipts. */
export const RECEIPTS_KEY = key('receipts');
