import { type JobData, type Outcome, type EventState, eventStateOf, parseJob } from '@passport/contract';
import type { Redis } from '@passport/runtime';
import type { Job } from 'bullmq';
import {
  activeKey,
  backlogKey,
  completedKey,
  delayedJobsKey,
  failedKey,
  jobIdOf,
  keptKey,
  prioritizedKey,
} from '../keys.ts';
import type { ScanJobs } from '../scans/index.ts';

/** Which events are wanted, and how many at once. */
export interface EventSearch {
  /**
   * Null: in any state. Then the list goes by when an event ended or, while it has not, was accepted, and with `libraries` null has the
   * unfinished events of `unfinishedAt` alone.
   */
  readonly state: EventFilterState | null;
  /** Lending libraries; null: all, also those that no configuration names any more. */
  readonly libraries: readonly string[] | null;
  /**
   * With `libraries` null: of this lending library alone, but by BullMQ's own sets, for an operator: what cannot be read, or is not
   * kept for the library any more, is found, too. Null: of all.
   */
  readonly jobsAt: string | null;
  /** Lending libraries whose unfinished events are in a list of any state and of all libraries. */
  readonly unfinishedAt?: readonly string[];
  readonly outcome: Outcome | null;
  /** When it ended, in milliseconds, both inclusive; of events that have not ended, all are found. */
  readonly fromMs: number | null;
  readonly untilMs: number | null;
  /** The `next` of the page before; null: the newest. An invalid cursor counts as null. */
  readonly after: string | null;
  readonly most: number;
}

/** A search without filters. */
export const ANY_EVENT = {
  libraries: null,
  jobsAt: null,
  outcome: null,
  fromMs: null,
  untilMs: null,
  after: null,
} as const satisfies Partial<EventSearch>;

/** One page of events, the newest first. */
export interface FoundEvents {
  readonly events: readonly ListedEvent[];
  /** Where the next page begins; null: this is the last one. */
  readonly next: string | null;
  /** The search stopped at the most jobs that one page looks at: older ones may match. */
  readonly isCut: boolean;
}

/** A job's id with the number that it is sorted by. */
interface Entry {
  readonly score: number;
  readonly jobId: string;
}

const AT_ONCE = 100;
/** Ids are small, jobs are not: of a long list of all libraries only the ids are gone through. */
const IDS_AT_ONCE = 1_000;
/** Jobs that one page looks at where a filter needs the job itself. */
const MOST_LOOKED = 2_000;
/** More than all workers together have. */
const MOST_PLACES = 1_000_000;
const CURSOR = /^(\d{1,16})_(.{1,400})$/s;

/**
 * The events that fit. Of all libraries BullMQ's own sets are gone through; of some, what is kept of each, so that a small library
 * is not looked for among the events of a thousand others. The cursor is only compared: it reveals nothing of other libraries.
 */
export async function findEvents(
  redis: Redis,
  queue: ScanJobs,
  nameOf: (library: string) => string,
  search: EventSearch,
): Promise<FoundEvents> {
  const active = new Set(await redis.lrange(activeKey, 0, -1));
  const events: ListedEvent[] = [];
  let after = parseCursor(search.after);
  for (let looked = 0; looked < MOST_LOOKED;) {
    const entries = await nextEntries(redis, search, after);
    if (entries.length === 0) return { events, next: null, isCut: false };
    const jobs = await Promise.all(entries.map(({ jobId }) => queue.getJob(jobId)));
    for (const [place, entry] of entries.entries()) {
      if (events.length === search.most) return { events, next: formatCursor(after), isCut: false };
      const found = fitting(jobs[place], active, nameOf, search);
      // An event that has just ended may still stand among the unfinished ones.
      if (found !== null && !events.some(({ jobId }) => jobId === found.jobId)) events.push(found);
      after = entry;
    }
    looked += entries.length;
  }
  return { events, next: formatCursor(after), isCut: events.length < search.most };
}

function fitting(
  job: Job<JobData> | undefined,
  active: ReadonlySet<string>,
  nameOf: (library: string) => string,
  { state, libraries, outcome }: EventSearch,
): ListedEvent | null {
  if (job === undefined) return null;
  const event = listedEventOf(job, active.has(job.id ?? ''), nameOf);
  if (event.kind === 'unreadable') return libraries === null && outcome === null ? event : null;
  if (outcome !== null && event.state.outcome !== outcome) return null;
  // What is kept of a library says only whether an event has ended, and a job may have moved on since it was listed.
  return libraries === null || state === null || event.state.state === state ? event : null;
}

/** The next entries in the order of the list, none of them at or before the cursor. */
async function nextEntries(
  redis: Redis,
  search: EventSearch,
  after: Entry | null,
): Promise<readonly Entry[]> {
  const lists = await Promise.all(
    sourcesOf(search).map(({ key, prefix }) => entriesOf(redis, key, prefix, search, after)),
  );
  return lists.flat().toSorted(newestFirst).slice(0, AT_ONCE);
}

interface Source {
  readonly key: string;
  /** What goes before its members to make them ids of jobs. */
  readonly prefix: string;
}

const ALL: Readonly<Record<EventFilterState, string>> = {
  working: activeKey,
  queued: prioritizedKey,
  waiting: delayedJobsKey,
  failed: failedKey,
  done: completedKey,
};

function sourcesOf({ libraries, state, unfinishedAt = [] }: EventSearch): readonly Source[] {
  const states = state === null ? (['queued', 'failed', 'done'] as const) : [state];
  return states.flatMap((each) => {
    const hasOwn = state === null && !hasEnded(each);
    const ids = libraries ?? (hasOwn ? unfinishedAt : null);
    if (ids === null) return [{ key: ALL[each], prefix: '' }];
    return ids.map((library) => ({ key: keyOf(library, each), prefix: jobIdOf(library, '') }));
  });
}

function keyOf(library: string, state: EventFilterState): string {
  if (state === 'done') return keptKey('finished', library);
  return state === 'failed' ? keptKey('failed', library) : backlogKey(library);
}

const hasEnded = (state: EventFilterState): boolean => state === 'done' || state === 'failed';

async function entriesOf(
  redis: Redis,
  key: string,
  prefix: string,
  { state, fromMs, untilMs, jobsAt }: EventSearch,
  after: Entry | null,
): Promise<readonly Entry[]> {
  const isDated = state === null || hasEnded(state);
  const start = jobsAt === null ? '' : jobIdOf(jobsAt, '');
  const fits = (entry: Entry): boolean => isAfter(entry, after) && entry.jobId.startsWith(start);
  const atOnce = jobsAt === null ? AT_ONCE : IDS_AT_ONCE;
  // The one list: it is as long as the workers have places.
  if (key === activeKey) return listEntries(await redis.lrange(key, 0, -1)).filter(fits);
  const low = isDated && fromMs !== null ? fromMs : '-inf';
  const high = isDated && untilMs !== null ? untilMs : '+inf';
  const top = after === null ? high : Math.min(after.score, high === '+inf' ? Infinity : high);
  // Entries of the very millisecond of the cursor are gone through again, and left out.
  for (let offset = 0; ; offset += atOnce) {
    const answer = await redis.zrevrangebyscore(key, top, low, 'WITHSCORES', 'LIMIT', offset, atOnce);
    const entries = pairs(answer).map(({ jobId, score }) => ({ jobId: `${prefix}${jobId}`, score }));
    const fresh = entries.filter(fits);
    if (fresh.length > 0 || entries.length < atOnce) return fresh;
  }
}

/** Sorted by their place in the list, in which active jobs have no time. */
const listEntries = (ids: readonly string[]): readonly Entry[] =>
  ids.map((jobId, place) => ({ jobId, score: MOST_PLACES - place }));

const isAfter = (entry: Entry, after: Entry | null): boolean =>
  after === null || newestFirst(after, entry) < 0;

function pairs(answer: readonly string[]): readonly Entry[] {
  return answer.flatMap((jobId, place) =>
    place % 2 === 0 ? [{ jobId, score: Number(answer[place + 1]) }] : [],
  );
}

/** By score; entries with the same score are in an order that never changes. */
function newestFirst(one: Entry, other: Entry): number {
  if (one.score !== other.score) return other.score - one.score;
  if (one.jobId === other.jobId) return 0;
  return one.jobId < other.jobId ? 1 : -1;
}

function parseCursor(text: string | null): Entry | null {
  const [, score, jobId] = CURSOR.exec(text ?? '') ?? [];
  return jobId === undefined ? null : { score: Number(score), jobId };
}

const formatCursor = (entry: Entry | null): string | null =>
  entry === null ? null : `${entry.score}_${entry.jobId}`;

/** The states of a job in the queue, as the contract names them. */
export const EVENT_STATES = ['working', 'queued', 'waiting', 'failed', 'done'] as const;
export type EventFilterState = (typeof EVENT_STATES)[number];

/** A job whose payload cannot be read is listed too, so that a person sees it. */
export type ListedEvent =
  | { readonly kind: 'event'; readonly jobId: string; readonly state: EventState }
  | { readonly kind: 'unreadable'; readonly jobId: string; readonly fields: readonly string[] };

/** One job as a person may see it; `running` as BullMQ has it now. */
export function listedEventOf(
  job: Job<JobData>,
  running: boolean,
  nameOf: (libraryId: string) => string,
): ListedEvent {
  const jobId = job.id ?? '';
  const parsed = parseJob(job.data);
  if (parsed.kind === 'unreadable') return { kind: 'unreadable', jobId, fields: parsed.fields };
  return { kind: 'event', jobId, state: eventStateOf(parsed.job, running, nameOf) };
}
