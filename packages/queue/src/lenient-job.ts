import { Job, type JobProgress, Queue, Worker } from 'bullmq';

/**
 * A job whose data are no JSON has the data `null` instead of throwing. BullMQ's own throws wherever it meets one: taking
 * it, a worker loses the job until it stalls, again and again, and whoever lists or promotes many jobs loses all of them.
 */
class LenientJob<
  Data = unknown,
  Result = unknown,
  Name extends string = string,
  Progress extends JobProgress = JobProgress,
> extends Job<Data, Result, Name, Progress> {
  static override fromJSON<T, R, N extends string>(
    ...[queue, json, jobId]: Parameters<typeof Job.fromJSON>
  ): Job<T, R, N> {
    try {
      return super.fromJSON<T, R, N>(queue, json, jobId);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      return super.fromJSON<T, R, N>(queue, { ...json, data: 'null' }, jobId);
    }
  }
}

/**
 * Whoever reads BullMQ's stream of events comes often (changed-events.ts); its own default of 10,000 takes megabytes of Redis
 * for each queue.
 */
export const FEW_EVENTS = { events: { maxLen: 1_000 } };

/** A queue that can return a job whatever its data are. */
export class LenientQueue<Data> extends Queue<Data> {
  protected override get Job(): typeof Job {
    return LenientJob;
  }
}

/** A worker that is given a job whatever its data are, and so can end it. */
export class LenientWorker extends Worker<unknown> {
  protected override get Job(): typeof Job {
    return LenientJob;
  }
}
