import { Queue } from 'bullmq';
import { z } from 'zod';
import type { Redis } from '@passport/runtime';
import { QUEUE_PREFIX, TELLINGS, jobIdOf } from './keys.ts';

/** A report that a Koha did not take at once: the state itself is read again when it is told. */
export const tellingSchema = z.object({
  library: z.string(),
  event_id: z.string(),
  since_ms: z.number(),
  /** W3C trace context of the event's delivery, when traced. */
  traceparent: z.string().optional(),
});
export type Telling = z.infer<typeof tellingSchema>;

export type TellJobs = Queue<Telling>;

/** Opens the queue of reports. They are kept by age, and never hold anything personal. */
export function openTellQueue(redis: Redis): TellJobs {
  return new Queue<Telling>(TELLINGS, {
    connection: redis,
    prefix: QUEUE_PREFIX,
    defaultJobOptions: {
      attempts: 1_000_000,
      backoff: { type: 'telling' },
      stackTraceLimit: 1,
      removeOnComplete: { age: 3600 },
      removeOnFail: { age: 24 * 3600 },
    },
    skipVersionCheck: true,
  });
}

/** Queues a report of the event's state `seq`; the same one is queued once. */
export async function tellLater(queue: TellJobs, telling: Telling, seq: number): Promise<void> {
  await queue.add(telling.library, telling, {
    jobId: `${jobIdOf(telling.library, telling.event_id)}-tell-${seq}`,
    delay: 1_000,
  });
}
