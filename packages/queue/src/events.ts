import { type EventState, type JobData, eventStateOf, parseJob } from '@passport/contract';
import type { Job } from 'bullmq';

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
