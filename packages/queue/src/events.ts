import { type EventState, type JobData, eventStateOf, parseJob } from '@passport/contract';
import type { Job } from 'bullmq';
import { jobIdOf } from './keys.ts';
import type { ScanJobs } from './scan-queue.ts';

/** BullMQ's states, by the words of the contract. */
const STATES = {
  working: ['active'],
  queued: ['prioritized', 'wait'],
  waiting: ['delayed'],
  failed: ['failed'],
  done: ['completed'],
} as const;
export type EventFilterState = keyof typeof STATES;
export const EVENT_STATES = Object.keys(STATES) as EventFilterState[];

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

/** Ids are small, jobs are not: of a long queue only the ids are gone through. */
const IDS_AT_ONCE = 1_000;
const JOBS_AT_ONCE = 100;

/** The newest events in these states, at most `most` of each; with `at` only those of this lending library. */
export async function listEvents(
  queue: ScanJobs,
  states: readonly EventFilterState[],
  nameOf: (libraryId: string) => string,
  { most = 100, at = null }: { readonly most?: number; readonly at?: string | null } = {},
): Promise<ListedEvent[]> {
  const lists: ListedEvent[] = [];
  for (const state of states) {
    for await (const job of newestJobs(queue, state, { most, at })) {
      lists.push(listedEventOf(job, state === 'working', nameOf));
    }
  }
  return lists;
}

async function* newestJobs(
  queue: ScanJobs,
  state: EventFilterState,
  { most, at }: { readonly most: number; readonly at: string | null },
): AsyncGenerator<Job<JobData>> {
  let left = most;
  for (let from = 0; left > 0; from += IDS_AT_ONCE) {
    const ids = await queue.getRanges([...STATES[state]], from, from + IDS_AT_ONCE - 1, false);
    if (ids.length === 0) return;
    const wanted = ids.filter((id) => at === null || id.startsWith(jobIdOf(at, ''))).slice(0, left);
    for (let next = 0; next < wanted.length; next += JOBS_AT_ONCE) {
      const jobs = await Promise.all(wanted.slice(next, next + JOBS_AT_ONCE).map((id) => queue.getJob(id)));
      yield* jobs.filter((job) => job !== undefined);
    }
    left -= wanted.length;
  }
}
