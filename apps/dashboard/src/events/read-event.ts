import { type Attempt, type EventState, parseJob } from '@passport/contract';
import { type ScanJobs, jobIdOf, readEventState } from '@passport/queue';
import type { Redis } from '@passport/runtime';
import type { EventRef } from './person-actions.ts';

/** An event as its page shows it. */
export interface EventRecord {
  /** The id to follow: a coalesced event has another's. */
  readonly eventId: string;
  readonly state: EventState;
  /** Oldest first; empty for an event of an earlier version. */
  readonly attempts: readonly Attempt[];
}

/** Reads an event; null when nothing is known of it. Rejects when Redis does not answer. */
export async function readEvent(
  { redis, queue, nameOf }: { redis: Redis; queue: ScanJobs; nameOf: (library: string) => string },
  { library, eventId }: EventRef,
): Promise<EventRecord | null> {
  const state = await readEventState(redis, library, eventId, nameOf);
  if (state === null) return null;
  const job = await queue.getJob(jobIdOf(library, state.event_id));
  const parsed = job === undefined ? null : parseJob(job.data);
  const attempts = parsed?.kind === 'job' ? (parsed.job.attempts ?? []) : [];
  return { eventId: state.event_id, state, attempts };
}
