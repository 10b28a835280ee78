import {
  Job,
  type JobProgress,
  type JobsOptions,
  type Processor,
  Queue,
  Worker,
  type WorkerOptions,
} from 'bullmq';
import type { Redis } from '@passport/runtime';
import { QUEUE_PREFIX } from './keys.ts';

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
const FEW_EVENTS = { events: { maxLen: 1_000 } };

/** One of our queues: it can return a job whatever its data are. The connection is the caller's, and logs its outages. */
export class LenientQueue<Data> extends Queue<Data> {
  constructor(name: string, connection: Redis, defaultJobOptions: JobsOptions) {
    const options = { connection, defaultJobOptions, prefix: QUEUE_PREFIX, streams: FEW_EVENTS };
    super(name, { ...options, skipVersionCheck: true });
    this.on('error', () => undefined);
  }

  protected override get Job(): typeof Job {
    return LenientJob;
  }
}

/**
 * A worker of one of our queues: it is given a job whatever its data are, and so can end it. The connection is the caller's, and logs
 * its outages.
 */
export class LenientWorker extends Worker<unknown> {
  constructor(
    name: string,
    processor: Processor<unknown> | null,
    options: Omit<WorkerOptions, 'prefix' | 'skipVersionCheck'>,
  ) {
    super(name, processor, { ...options, prefix: QUEUE_PREFIX, skipVersionCheck: true });
    this.on('error', () => undefined);
  }

  protected override get Job(): typeof Job {
    return LenientJob;
  }
}
