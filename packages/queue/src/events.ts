import { type EventState, type JobData, eventStateOf, parseJob } from '@passport/contract';
import type { Job } from 'bullmq';
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

/** The newest events in these states, at most `most` of each. */
export async function listEvents(
  queue: ScanJobs,
  states: readonly EventFilterState[],
  nameOf: (libraryId: string) => string,
  most = 100,
): Promise<ListedEvent[]> {
  const lists = await Promise.all(
    states.map(async (state) => {
      const jobs = await queue.getJobs([...STATES[state]], 0, most - 1, false);
      return jobs.filter(Boolean).map((job) => listedEventOf(job, state === 'working', nameOf));
    }),
  );
  return lists.flat();
}
