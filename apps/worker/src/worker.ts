import { DelayedError, type Job, UnrecoverableError, Worker } from 'bullmq';
import { type JobData, isFailure } from '@passport/contract';
import { QUEUE_PREFIX, SCANS } from '@passport/queue';
import { type Logger, type Redis, RedisUnavailable, translateRedisError } from '@passport/runtime';
import { LockLost, buildLockWatch } from './lock-watch.ts';
import type { JobInHand, RunDecision } from './run-scan.ts';

/**
 * The four numbers that hold each other (queue.md sections 2 and 6 were measured with these locks):
 * longest Koha call (koha.timeout, 3 s) < lock 5 s, renewed each 2.5 s < grace (SHUTDOWN_GRACE, 25 s) <
 * stop_grace_period of compose (40 s). A dead worker's job starts elsewhere within lock + stalled interval.
 */
const LOCK_MS = 5_000;
const STALLED_INTERVAL_MS = 2_500;
/** BullMQ's own limit fails a job without an outcome of ours; run-scan.ts ends a poison job long before. */
const MOST_STALLS = 25;
const BUG_BACKOFF_MS = [500, 2_000, 5_000, 15_000] as const;
const FULL_PROBE_MS = 500;

/** What happens to a job around its run; everything but BullMQ itself is in here. */
export interface ScanWork {
  run(hand: JobInHand): Promise<RunDecision>;
  /** Before the job's data are replaced by those of its end. */
  beforeEnd(decision: Extract<RunDecision, { kind: 'end' }>): Promise<void>;
  afterEnd(job: JobData, jobId: string): Promise<void>;
  beforePark(decision: Extract<RunDecision, { kind: 'park' }>, jobId: string): Promise<void>;
}

export interface ScanWorker {
  /** Takes no new job and waits for the running ones. */
  close(): Promise<void>;
  readonly running: number;
}

/** A worker that remembers when the renewals it made were sent. */
class WatchedWorker extends Worker<unknown> {
  onRenewed: (tokens: readonly string[], sentAt: number) => void = () => undefined;
  clock: () => number = () => 0;

  override async extendJobLocks(jobIds: string[], tokens: string[], duration: number): Promise<string[]> {
    const sentAt = this.clock();
    const lost = await super.extendJobLocks(jobIds, tokens, duration);
    this.onRenewed(
      tokens.filter((_, index) => !lost.includes(jobIds[index] ?? '')),
      sentAt,
    );
    return lost;
  }
}

/** Starts taking scans from the queue. The only place that knows how BullMQ wants to be told what became of a job. */
export function startScanWorker(deps: {
  readonly connection: Redis;
  readonly concurrency: number;
  readonly retention: { readonly finishedMs: number; readonly failedMs: number };
  readonly work: ScanWork;
  /** Aborted when the grace is over: jobs go back as they are. */
  readonly deadline: AbortSignal;
  readonly monotonicNow: () => number;
  readonly now: () => number;
  readonly log: Logger;
}): ScanWorker {
  const { connection, work, deadline, monotonicNow, now, log } = deps;
  const watch = buildLockWatch(LOCK_MS, monotonicNow);
  let running = 0;

  const process = async (job: Job<unknown>, token = ''): Promise<void> => {
    const held = watch.taken(token, monotonicNow());
    const lock = {
      signal: AbortSignal.any([held.signal, deadline]),
      assertHeld() {
        held.assertHeld();
        if (connection.status !== 'ready') throw new RedisUnavailable('no connection');
      },
    };
    running += 1;
    try {
      await oneJob(job, token, lock);
    } finally {
      running -= 1;
      watch.forget(token);
    }
  };

  const oneJob = async (job: Job<unknown>, token: string, lock: JobInHand['lock']): Promise<void> => {
    const jobId = job.id ?? '';
    const hand = {
      data: job.data,
      starts: job.attemptsStarted,
      stalls: job.stalledCounter,
      bugs: job.attemptsMade,
      lock,
    };
    const decision = await work.run(hand).catch((error: unknown): RunDecision => handBackIfOutside(error));
    switch (decision.kind) {
      case 'end':
        lock.assertHeld();
        await work.beforeEnd(decision);
        lock.assertHeld();
        await job.updateData(decision.job);
        return finish(decision.job, jobId);
      case 'ended_before':
        return finish(decision.job, jobId);
      case 'park':
        lock.assertHeld();
        await job.updateData(decision.job);
        await work.beforePark(decision, jobId);
        return moveToDelayed(job, decision.untilMs, token);
      case 'hand_back':
        return moveToDelayed(job, now(), token);
      case 'unreadable':
        throw new UnrecoverableError(`UNREADABLE_JOB ${decision.fields.join(', ')}`);
      default:
        return decision satisfies never;
    }
  };

  const finish = async (job: JobData, jobId: string): Promise<void> => {
    await work.afterEnd(job, jobId);
    const { outcome, problem } = job.progress;
    if (outcome !== null && isFailure(outcome)) {
      const named = problem === null ? [] : [problem.library, problem.what, problem.name ?? ''];
      throw new UnrecoverableError([outcome, ...named].join(' ').trim());
    }
  };

  const worker = new WatchedWorker(SCANS, process, {
    connection,
    prefix: QUEUE_PREFIX,
    concurrency: deps.concurrency,
    lockDuration: LOCK_MS,
    stalledInterval: STALLED_INTERVAL_MS,
    maxStalledCount: MOST_STALLS,
    removeOnComplete: { age: deps.retention.finishedMs / 1000 },
    removeOnFail: { age: deps.retention.failedMs / 1000 },
    settings: { backoffStrategy: (attempts) => BUG_BACKOFF_MS[attempts - 1] ?? 30_000 },
    skipVersionCheck: true,
  });
  worker.clock = monotonicNow;
  worker.onRenewed = (tokens, sentAt) => tokens.forEach((token) => watch.renewed(token, sentAt));
  worker.on('failed', (job, error) => {
    if (error instanceof UnrecoverableError || error instanceof LockLost) return;
    log.error({ job: job?.id, error }, 'a job met a bug');
  });
  pauseWhileRedisIsFull(worker, connection, deadline, log);
  return {
    close: () => worker.close(),
    get running() {
      return running;
    },
  };
}

/** Throws what makes BullMQ leave a job alone that was moved already. */
async function moveToDelayed(job: Job<unknown>, atMs: number, token: string): Promise<never> {
  await job.moveToDelayed(atMs, token);
  throw new DelayedError();
}

/** Redis's own trouble and a lost lock are no attempt and no outcome: whoever has the lock now goes on. */
function handBackIfOutside(error: unknown): RunDecision {
  if (error instanceof LockLost) throw error;
  if (error instanceof RedisUnavailable || translateRedisError(error).kind !== 'bug')
    return { kind: 'hand_back' };
  throw error;
}

/** With Redis full an idle worker asks again and again, thousands of times a second: it rests until Redis takes writes. */
function pauseWhileRedisIsFull(worker: Worker, redis: Redis, deadline: AbortSignal, log: Logger): void {
  let probe: NodeJS.Timeout | undefined;
  const tryAgain = (): void => {
    redis
      .set(`${QUEUE_PREFIX}:probe`, '1', 'PX', FULL_PROBE_MS)
      .then(() => {
        clearInterval(probe);
        probe = undefined;
        worker.resume();
        log.info({ redis: 'full' }, 'Redis takes writes again');
      })
      .catch(() => undefined);
  };
  worker.on('error', (error) => {
    if (translateRedisError(error).kind !== 'full' || probe !== undefined) return;
    log.error({ redis: 'full' }, 'Redis is full: taking no jobs until it takes writes');
    void worker.pause(true);
    probe = setInterval(tryAgain, FULL_PROBE_MS);
  });
  deadline.addEventListener('abort', () => clearInterval(probe));
}
