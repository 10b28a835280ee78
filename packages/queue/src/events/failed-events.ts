import { type EventState, type Outcome, eventStateOf, parseJob } from '@passport/contract';
import type { Redis } from '@passport/runtime';
import type { Job } from 'bullmq';
import { wasCancelled, type ScanJobs } from '../scans/index.ts';
import { failedKey, jobIdOf } from '../keys.ts';
import { problemText } from '../processes/index.ts';

/** A failed event, with what decides whether a retry is of use to anybody. Times are milliseconds of the queue's clock. */
export interface FailedEvent {
  readonly jobId: string;
  readonly state: EventState;
  readonly scannedMs: number;
  readonly failedMs: number;
  /** An item waited for its checkout; `hasItem`: its barcode is still there. */
  readonly checkoutRequested: boolean;
  readonly hasItem: boolean;
  /** Without its card, nothing can be done with it. */
  readonly hasCard: boolean;
  /** Its library has cancelled it: a retry would write nothing. */
  readonly isCancelled: boolean;
  /** A person has retried it before. */
  readonly wasRetried: boolean;
}

/** What is wrong, in words, such as `midland: category PT`; empty where the outcome says all. Failures with one cause are mended together. */
export const causeOf = ({ problem }: Pick<EventState, 'problem'>): string =>
  problem === null ? '' : `${problem.library}: ${problemText(problem)}`;

export interface FailedEvents {
  /** The newest scan first. */
  readonly events: readonly FailedEvent[];
  /** Jobs that failed in this time, and whose data are of another version or damaged. */
  readonly unreadable: number;
}

const IDS_AT_ONCE = 500;
const JOBS_AT_ONCE = 50;

/**
 * Every event that failed with one of `outcomes` since `sinceMs`, of these lending libraries. BullMQ keeps failed jobs by the time of
 * their end, so that older ones are not read. One without an outcome counts whatever is wanted: a person's retry of it was cut short,
 * or its end was lost. `isCut`: there are more than `most`.
 */
export async function listFailed(
  { redis, queue }: { readonly redis: Redis; readonly queue: ScanJobs },
  of: {
    readonly sinceMs: number;
    /** Null: all. */
    readonly libraries: readonly string[] | null;
    readonly outcomes: readonly Outcome[];
    /** The newest so many of these libraries; default all. */
    readonly most?: number;
  },
  nameOf: (libraryId: string) => string,
): Promise<FailedEvents & { readonly isCut: boolean }> {
  const events: FailedEvent[] = [];
  let unreadable = 0;
  const { most = Infinity } = of;
  const found = await failedSince(redis, { ...of, most: most + 1 });
  const ids = found.slice(0, most);
  for (let next = 0; next < ids.length; next += JOBS_AT_ONCE) {
    const jobs = await Promise.all(ids.slice(next, next + JOBS_AT_ONCE).map((id) => queue.getJob(id)));
    for (const job of jobs) {
      if (job === undefined) continue; // removed meanwhile
      const failed = failedEventOf(job, nameOf);
      if (failed === null) unreadable += 1;
      else if ([null, ...of.outcomes].includes(failed.state.outcome)) events.push(failed);
    }
  }
  return {
    events: events.toSorted((a, b) => b.scannedMs - a.scannedMs),
    unreadable,
    isCut: found.length > most,
  };
}

async function failedSince(
  redis: Redis,
  {
    sinceMs,
    libraries,
    most,
  }: { readonly sinceMs: number; readonly libraries: readonly string[] | null; readonly most: number },
): Promise<string[]> {
  const starts = libraries?.map((library) => jobIdOf(library, '')) ?? [''];
  const found = new Set<string>();
  for (let from = 0; ; from += IDS_AT_ONCE) {
    const ids = await redis.zrevrangebyscore(failedKey, '+inf', sinceMs, 'LIMIT', from, IDS_AT_ONCE);
    for (const id of ids) if (starts.some((start) => id.startsWith(start))) found.add(id);
    if (ids.length < IDS_AT_ONCE || found.size >= most) return [...found];
  }
}

function failedEventOf(job: Job, nameOf: (libraryId: string) => string): FailedEvent | null {
  const parsed = parseJob(job.data);
  if (parsed.kind === 'unreadable') return null;
  const { received_ms: receivedMs, age_at_delivery_ms: ageMs, ...data } = parsed.job;
  return {
    jobId: job.id ?? '',
    state: eventStateOf(data, false, nameOf),
    scannedMs: receivedMs - ageMs,
    failedMs: job.finishedOn ?? 0,
    checkoutRequested: data.checkout_requested,
    hasItem: data.encrypted_item !== null,
    hasCard: data.encrypted_card !== null,
    isCancelled: wasCancelled(job),
    wasRetried: data.retried !== null,
  };
}
