import {
  type BackendFactory,
  Job,
  type JobProgress,
  type JobsOptions,
  type Processor,
  Queue,
  type RedisQueueBackend,
  Worker,
  type WorkerOptions,
  createRedisBackend,
} from 'bullmq';
import type { Redis } from '@passport/runtime';
import type { FetchWatch, WatchedFetches } from './fetch-watch.ts';
import { QUEUE_PREFIX } from '../keys.ts';

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

  /** Its id is the name of its key, and need not be among its options as well. */
  override asJSON(): ReturnType<Job['asJSON']> {
    const { opts, ...json } = super.asJSON();
    const { jobId: _id, ...others } = opts;
    return { ...json, opts: others };
  }
}

/**
 * Whoever reads BullMQ's stream of events comes often (event-state.ts); its own default of 10,000 takes megabytes of Redis
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

export type LenientWorkerOptions = Omit<WorkerOptions, 'prefix' | 'skipVersionCheck'> & {
  /** Who learns whether it gets jobs. */
  readonly fetches?: FetchWatch | undefined;
};

/**
 * A worker of one of our queues: it is given a job whatever its data are, and so can end it. The connection is the caller's, and logs
 * its outages.
 */
export class LenientWorker extends Worker<unknown> {
  constructor(
    name: string,
    processor: Processor<unknown> | null,
    { fetches, ...options }: LenientWorkerOptions,
  ) {
    const watched = fetches?.watch(name);
    const process: typeof processor =
      processor === null || watched === undefined
        ? processor
        : async (job, token): Promise<unknown> =>
            watched.run(async (): Promise<unknown> => processor(job, token));
    const drainDelay = fetches === undefined ? {} : { drainDelay: fetches.blockMs / 1_000 };
    const whole = { ...options, ...drainDelay, prefix: QUEUE_PREFIX, skipVersionCheck: true };
    super(name, process, whole, watched === undefined ? createRedisBackend : observe(watched));
    this.on('error', () => undefined);
    if (watched === undefined) return;
    this.on('paused', () => watched.pause(true));
    this.on('resumed', () => watched.pause(false));
    this.on('closing', () => watched.close());
  }

  protected override get Job(): typeof Job {
    return LenientJob;
  }
}

/** BullMQ's own access to Redis, with a look at the three calls that bring a job: blocking until there is one, taking it, and finishing another. */
const observe =
  (watched: WatchedFetches): BackendFactory<RedisQueueBackend> =>
  (name, options, kind) => {
    const backend = createRedisBackend(name, options, kind);
    const { waitForJob, moveToActive, moveToFinished } = backend;
    return Object.assign(backend, {
      waitForJob: (...args: Parameters<typeof waitForJob>) =>
        watched.fetch(() => waitForJob.apply(backend, args)),
      moveToActive: (...args: Parameters<typeof moveToActive>) =>
        watched.fetch(() => moveToActive.apply(backend, args)),
      moveToFinished: (...args: Parameters<typeof moveToFinished>) =>
        watched.fetch(() => moveToFinished.apply(backend, args)),
    });
  };
