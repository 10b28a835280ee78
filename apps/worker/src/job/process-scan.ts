import { DelayedError, type Job, UnrecoverableError } from 'bullmq';
import { type JobData, isFailure } from '@passport/contract';
import {
  type ClaimCreate,
  type FetchTimings,
  type FetchWatch,
  type JobDataWriter,
  LenientWorker,
  SCANS,
  delayActive,
  hasLostLock,
  wasCancelled,
} from '@passport/queue';
import { type Logger, type Redis, RedisUnavailable, translateRedisError } from '@passport/runtime';
import { allDone } from './all-done.ts';
import type { EndCheck } from './end-check.ts';
import { type EndWork, type WriteChange, finishJob } from './finish-job.ts';
import { type JobLock, ScanCancelled } from '../provision/scan.ts';
import { LockLost, keepJobLock } from './job-lock.ts';
import { buildPauseWhileFull } from './pause-while-full.ts';
import type { Delayed, TakenJob, RunResult } from './run-result.ts';
import { MOST_BUGS } from './run-scan.ts';
import type { WorkerLoad } from './worker-load.ts';

/**
 * The numbers that depend on each other:
 * longest Koha call (koha.timeout, 3 s) < lock 5 s, renewed each 1.25 s < grace (SHUTDOWN_GRACE, 25 s) <
 * event loop blocked (event-loop-watch.ts, 30 s) < stop_grace_period of compose (40 s). A dead worker's job starts elsewhere about
 * lock + stalled interval later (measured: 5.4 s in the median, 8.2 s at most).
 * A fetch that finds nothing comes back after 5 s (with delayed jobs, after 10 at most); BullMQ gives up a silent one a second
 * later, and the connection after 15 s (redis.ts) < late 20 s < dead 45 s, within a minute of any fault < ended 3 min: by then a probe
 * of Kubernetes (60 s of 503) has restarted it, and Redis has had time for a restart or a failover.
 */
const LOCK_MS = 5_000;
export const FETCH_TIMINGS: FetchTimings = {
  blockMs: 5_000,
  lateMs: 20_000,
  deadMs: 45_000,
  endMs: 180_000,
  checkMs: 1_000,
};
const STALLED_INTERVAL_MS = 2_500;
/** BullMQ's own limit fails a job without an outcome of ours; run-scan.ts ends a poison job long before. */
const MOST_STALLS = 25;
const BUG_BACKOFF_MS = [500, 2_000, 5_000, 15_000] as const;
/** Delay of a job that could not go on because of Redis itself. */
const REDIS_PAUSE_MS = 1_000;
/** BullMQ sleeps for 15 s after a lost connection; somebody stands at the desk. */
const FETCH_AGAIN_MS = 1_000;

/** What happens to a job around its run; everything but BullMQ itself is in here. */
export interface ScanWork extends EndWork {
  run(taken: TakenJob): Promise<RunResult>;
  beforeDelay(delayed: Delayed, jobId: string): Promise<void>;
  /** Promotes the job where what it waits for has come while it was being delayed. */
  afterDelay(delayed: Delayed): Promise<void>;
}

export interface ScanWorkerDeps {
  readonly connection: Redis;
  readonly fetches?: FetchWatch | undefined;
  readonly concurrency: number;
  readonly load: Pick<WorkerLoad, 'begin'>;
  readonly retention: { readonly finishedMs: number; readonly failedMs: number };
  readonly work: ScanWork;
  readonly jobData: Pick<JobDataWriter, 'writeActive' | 'writeWanted'>;
  readonly claimCreate: ClaimCreate;
  readonly endCheck: EndCheck;
  /** Aborted when the grace is over: jobs are requeued as they are. */
  readonly deadline: AbortSignal;
  readonly monotonicNow: () => number;
  /** The queue's clock, by which BullMQ in this process dates and delays jobs, too. */
  readonly now: () => number;
  readonly log: Logger;
}

/**
 * Starts taking scans from the queue. `close` takes no new job and waits for the running ones. Only this file
 * knows how BullMQ learns the result of a job.
 */
export function startScanWorker(deps: ScanWorkerDeps): { close(): Promise<void> } {
  const { connection, load, deadline, endCheck, monotonicNow, now, log } = deps;

  const process = async (job: Job<unknown>, token = ''): Promise<void> => {
    // `processedOn` was read before the command that took the job was sent.
    const jobLock = keepJobLock({
      durationMs: LOCK_MS,
      takenAt: monotonicNow() - Math.max(0, now() - (job.processedOn ?? now())),
      monotonicNow,
      renew: async () => (await job.extendLock(token, LOCK_MS)) === 1,
      onError: (error) => pauseWhileFull.hear(error),
    });
    const { signal, release } = firstOf(jobLock.signal, deadline);
    const over = load.begin();
    const lock: JobLock = {
      signal,
      assertHeld() {
        jobLock.assertHeld();
        if (connection.status !== 'ready') throw new RedisUnavailable('no connection');
      },
    };
    try {
      await runJob(job, token, lock, deps);
    } catch (error) {
      if (!isRedisOrLostLock(error)) throw error;
      pauseWhileFull.hear(error);
      const isOurs = error instanceof LockLost;
      await requeue(job, isOurs ? now() : now() + REDIS_PAUSE_MS, token, log);
    } finally {
      over();
      release();
      jobLock.release();
    }
  };

  const worker = new LenientWorker(SCANS, process, {
    connection,
    fetches: deps.fetches,
    concurrency: deps.concurrency,
    lockDuration: LOCK_MS,
    skipLockRenewal: true, // each run renews its own (job-lock.ts)
    stalledInterval: STALLED_INTERVAL_MS,
    maxStalledCount: MOST_STALLS,
    runRetryDelay: FETCH_AGAIN_MS,
    removeOnComplete: { age: deps.retention.finishedMs / 1000 },
    removeOnFail: { age: deps.retention.failedMs / 1000 },
    settings: { backoffStrategy: (attempts) => BUG_BACKOFF_MS[attempts - 1] ?? 30_000 },
  });
  const pauseWhileFull = buildPauseWhileFull(worker, connection, log);
  worker.on('error', (error) => pauseWhileFull.hear(error));
  worker.on('completed', (job) => endCheck.finished(job));
  worker.on('failed', (job, error) => {
    if (job !== undefined) endCheck.finished(job);
    if (!(error instanceof UnrecoverableError)) log.error({ job: job?.id, error }, 'a job met a bug');
  });
  return {
    async close() {
      pauseWhileFull.close();
      await worker.close();
      await endCheck.settled();
    },
  };
}

/**
 * A signal that follows both. `AbortSignal.any` with one that lives as long as the process keeps something of each job
 * (50 bytes, Node 20.20); this lets go.
 */
function firstOf(one: AbortSignal, other: AbortSignal): { signal: AbortSignal; release(): void } {
  const both = new AbortController();
  const follow = (event: Event): void => both.abort((event.target as AbortSignal).reason);
  for (const each of [one, other]) {
    if (each.aborted) both.abort(each.reason);
    else each.addEventListener('abort', follow, { once: true });
  }
  const release = (): void => [one, other].forEach((each) => each.removeEventListener('abort', follow));
  return { signal: both.signal, release };
}

/** Runs a job and reports its result to BullMQ: returning completes it, an UnrecoverableError keeps it as failed. */
async function runJob(job: Job<unknown>, token: string, lock: JobLock, deps: ScanWorkerDeps): Promise<void> {
  const { connection, work, jobData, claimCreate, endCheck, now, log } = deps;
  const jobId = job.id ?? '';
  const write = async (data: object): Promise<void> => {
    lock.assertHeld();
    if (!(await jobData.writeActive(jobId, token, data))) throw new LockLost();
  };
  const writeWanted = async (data: object): Promise<boolean> => {
    lock.assertHeld();
    const result = await jobData.writeWanted(jobId, token, data);
    if (result === 'lost') throw new LockLost();
    return result === 'written';
  };
  const writeChange: WriteChange = async ({ data, ifCancelled }) => {
    if (ifCancelled !== null) return writeWanted(data);
    await write(data);
    return true;
  };
  const save: TakenJob['save'] = async (data, claim) => {
    lock.assertHeld();
    const claimed = await claimCreate({ id: jobId, token, data }, claim);
    if (claimed === 'lost') throw new LockLost();
    if (claimed === 'cancelled') throw new ScanCancelled();
    return claimed;
  };
  const finish = { job, jobId, work, endCheck, write: writeChange };
  const result = await work.run({
    data: job.data,
    addedMs: job.timestamp,
    starts: job.attemptsStarted,
    stalls: job.stalledCounter,
    bugs: job.attemptsMade,
    lock,
    isCancelled: wasCancelled(job),
    save,
    async saveWanted(data) {
      if (!(await writeWanted(data))) throw new ScanCancelled();
    },
  });
  switch (result.kind) {
    case 'done':
      return endJob(await finishJob(result, finish));
    case 'done_before':
      // A bug in what follows the end must not keep the job from being finished for ever.
      if (job.attemptsMade < MOST_BUGS) {
        await work.recordEnd(result.job);
        await allDone([work.settle(result.job, jobId), work.reportEnd(result.job)]);
      } else log.error({ job: jobId }, 'what follows the end of a job was given up');
      return endJob(result.job);
    case 'retry':
      if (!(await writeChange(result)) && result.ifCancelled !== null)
        return endJob(await finishJob(result.ifCancelled(), finish));
      await work.beforeDelay(result, jobId);
      await delayActive(connection, job, token, result.untilMs);
      await work.afterDelay(result);
      throw new DelayedError();
    case 'requeue':
      return requeue(job, now() + result.delayMs, token, log);
    case 'unreadable':
      throw new UnrecoverableError(`UNREADABLE_JOB ${result.fields.join(', ')}`);
    default:
      return result satisfies never;
  }
}

function endJob({ progress: { outcome, problem } }: JobData): void {
  if (outcome === null || !isFailure(outcome)) return;
  const named = problem === null ? [] : [problem.library, problem.what, problem.name ?? ''];
  throw new UnrecoverableError([outcome, ...named].join(' ').trim());
}

/**
 * Requeues a job as it is. Where that fails it is somebody else's already, or will be once its lock has expired: either
 * way the error keeps BullMQ from touching it, which costs no attempt.
 */
async function requeue(job: Job<unknown>, atMs: number, token: string, log: Logger): Promise<never> {
  await job.moveToDelayed(atMs, token).catch((error: unknown) => {
    if (!hasLostLock(error) && !isRedisOrLostLock(error))
      log.error({ job: job.id, error }, 'a job was not requeued');
  });
  throw new DelayedError();
}

/** Redis's own trouble and a lost lock are no attempt and no outcome. */
function isRedisOrLostLock(error: unknown): boolean {
  if (error instanceof LockLost || error instanceof RedisUnavailable || hasLostLock(error)) return true;
  if (error instanceof DelayedError || error instanceof UnrecoverableError) return false;
  return translateRedisError(error).kind !== 'bug';
}
