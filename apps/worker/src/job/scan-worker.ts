import { type FetchTimings, type FetchWatch, LenientWorker } from '@passport/queue/bullmq';
import { SCANS } from '@passport/queue/keys';
import { buildPauseWhileFull } from './pause-while-full.ts';
import { type ScanContext, isOutcome, processScan } from './process-scan.ts';

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
/** BullMQ sleeps for 15 s after a lost connection; somebody stands at the desk. */
const FETCH_AGAIN_MS = 1_000;

/** Starts taking scans from the queue. `close` takes no new job and waits for the running ones. */
export function startScanWorker(
  context: ScanContext & { readonly fetches: FetchWatch; readonly concurrency: number },
): { close(): Promise<void> } {
  const { connection, fetches, concurrency, consortium, endCheck, log } = context;
  const { retention } = consortium;
  const worker = new LenientWorker(
    SCANS,
    (job, token = '') => processScan(job, { token, lockMs: LOCK_MS, hear: pauseWhileFull.hear }, context),
    {
      connection,
      fetches,
      concurrency,
      lockDuration: LOCK_MS,
      skipLockRenewal: true, // each run renews its own (job-lock.ts)
      stalledInterval: STALLED_INTERVAL_MS,
      maxStalledCount: MOST_STALLS,
      runRetryDelay: FETCH_AGAIN_MS,
      removeOnComplete: { age: retention.finishedMs / 1000 },
      removeOnFail: { age: retention.failedMs / 1000 },
      settings: { backoffStrategy: (attempts) => BUG_BACKOFF_MS[attempts - 1] ?? 30_000 },
    },
  );
  const pauseWhileFull = buildPauseWhileFull(worker, connection, log);
  worker.on('error', (error) => pauseWhileFull.hear(error));
  worker.on('completed', (job) => endCheck.finished(job));
  worker.on('failed', (job, error) => {
    if (job !== undefined) endCheck.finished(job);
    if (!isOutcome(error)) log.error({ job: job?.id, error }, 'a job met a bug');
  });
  return {
    async close() {
      pauseWhileFull.close();
      await worker.close();
      await endCheck.settled();
    },
  };
}
