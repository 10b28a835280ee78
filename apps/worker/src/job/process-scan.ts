import { DelayedError, type Job, UnrecoverableError } from 'bullmq';
import { type JobData, isFailure, parseJob } from '@passport/contract';
import { hasLostLock } from '@passport/queue/bullmq';
import { noteDelayed, notePaused } from '@passport/queue/delays';
import type { ClaimCreate } from '@passport/queue/locks';
import {
  type JobDataWriter,
  delayActive,
  goOnIfAnswered,
  isDeskQuestion,
  wasCancelled,
} from '@passport/queue/scans';
import { openUnreadableJobs } from '@passport/queue/service';
import { type Logger, RedisUnavailable, translateRedisError } from '@passport/runtime';
import type { Reporter } from '../koha/report.ts';
import { type JobLock, ScanCancelled } from '../provision/scan.ts';
import type { EndCheck } from './end-check.ts';
import { LockLost, keepJobLock } from './job-lock.ts';
import { type ObserverContext, observeDelay, observeEnd } from './observe-job.ts';
import { type Delayed, type Ended, MOST_BUGS, type RunContext, type RunResult, runScan } from './run-scan.ts';
import { type SettleContext, recordDisclosures, releaseQuota, settle } from './settlement.ts';
import type { TakenJob } from './taken-job.ts';
import type { WorkContext } from '../work-context.ts';

/** All that happens to a scan is done with this; built once (start-worker.ts). */
export interface ScanContext
  extends
    RunContext,
    SettleContext,
    ObserverContext,
    Pick<WorkContext, 'connection' | 'queue' | 'load' | 'tracing' | 'deadline'> {
  readonly jobData: Pick<JobDataWriter, 'writeActive' | 'writeWanted' | 'writeLostEnd'>;
  readonly claimCreate: ClaimCreate;
  readonly endCheck: EndCheck;
  readonly reporter: Pick<Reporter, 'reportEnd' | 'reportWaiting'>;
}

/** How one run has its job. */
interface Hold {
  /** Of the job's lock. */
  readonly token: string;
  readonly lockMs: number;
  /** Receives every error that may come from Redis. */
  readonly hear: (error: unknown) => void;
}

/** So long the lines of one job wait for those of others that can be written with them: a write costs more than they do. */
const LINES_WITHIN_MS = 10;

/** Delay of a job that could not go on because of Redis itself. */
const REDIS_PAUSE_MS = 1_000;

/**
 * What BullMQ calls with a job: runs it under its lock, and says the outcome of it as BullMQ wants to hear it. Returning completes
 * it, an UnrecoverableError keeps it as failed, a DelayedError means that it is delayed already. Only this file translates so.
 */
export async function processScan(job: Job<unknown>, hold: Hold, context: ScanContext): Promise<void> {
  const { connection, load, deadline, monotonicNow, now, log } = context;
  const { token, lockMs, hear } = hold;
  // `processedOn` was read before the command that took the job was sent.
  const jobLock = keepJobLock({
    durationMs: lockMs,
    takenAt: monotonicNow() - Math.max(0, now() - (job.processedOn ?? now())),
    monotonicNow,
    renew: async () => (await job.extendLock(token, lockMs)) === 1,
    onError: hear,
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
    await runJob(job, token, lock, context);
  } catch (error) {
    if (!isRedisOrLostLock(error)) throw error;
    hear(error);
    const isOurs = error instanceof LockLost;
    await requeue(job, isOurs ? now() : now() + REDIS_PAUSE_MS, token, log);
  } finally {
    over();
    release();
    jobLock.release();
  }
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

async function runJob(job: Job<unknown>, token: string, lock: JobLock, context: ScanContext): Promise<void> {
  const { connection, queue, redis, load, now, log } = context;
  const taken = takenJob(job, token, lock, context);
  const result = await tracedRun(taken, context);
  // Redis and the desk learn of nothing whose audit lines are not out: a worker that dies before leaves the run, lines and all, to another.
  if (load.hasCompany()) await log.written(LINES_WITHIN_MS);
  else log.flush();
  switch (result.kind) {
    case 'done':
      return endJob(await finishJob(result, taken, context));
    case 'done_before':
      // A bug in what follows the end must not keep the job from being finished for ever.
      if (taken.bugs < MOST_BUGS) {
        await recordDisclosures(result.job, context);
        await followEnd(result.job, taken, context);
      } else log.error({ job: taken.id }, 'what follows the end of a job was given up');
      return endJob(result.job);
    case 'retry':
      if (!(await taken.write(result)) && result.ifCancelled !== null) {
        return endJob(await finishJob(result.ifCancelled(), taken, context));
      }
      await settleDelay(result, taken, context);
      await delayActive(connection, job, token, result.untilMs);
      // What it waits for may have come while it was being delayed.
      if (isDeskQuestion(result.reason)) await goOnIfAnswered(redis, queue, result.job, result.reason);
      throw new DelayedError();
    case 'requeue':
      return requeue(job, now() + result.delayMs, token, log);
    case 'unreadable':
      log.error({ job: taken.id, fields: result.fields }, 'a job cannot be read: it has failed');
      await openUnreadableJobs(redis).note(taken.id);
      throw new UnrecoverableError(`UNREADABLE_JOB ${result.fields.join(', ')}`);
    default:
      return result satisfies never;
  }
}

/** A job of BullMQ's, with the writes that only the owner of its lock can make. */
interface HeldJob extends TakenJob {
  readonly id: string;
  /** BullMQ's own, by which the check of its end knows it again. */
  readonly job: object;
  /** Writes what a run came to. False: the event was cancelled before, and nothing was written. Throws LockLost. */
  write(change: Ended | Delayed): Promise<boolean>;
}

function takenJob(
  job: Job<unknown>,
  token: string,
  lock: JobLock,
  { jobData, claimCreate }: ScanContext,
): HeldJob {
  const id = job.id ?? '';
  const writeWanted = async (data: object): Promise<boolean> => {
    lock.assertHeld();
    const result = await jobData.writeWanted(id, token, data);
    if (result === 'lost') throw new LockLost();
    return result === 'written';
  };
  return {
    id,
    job,
    data: job.data,
    addedMs: job.timestamp,
    starts: job.attemptsStarted,
    stalls: job.stalledCounter,
    bugs: job.attemptsMade,
    lock,
    isCancelled: wasCancelled(job),
    async save(data, claim) {
      lock.assertHeld();
      const claimed = await claimCreate({ id, token, data }, claim);
      if (claimed === 'lost') throw new LockLost();
      if (claimed === 'cancelled') throw new ScanCancelled();
      return claimed;
    },
    async saveWanted(data) {
      if (!(await writeWanted(data))) throw new ScanCancelled();
    },
    async write({ data, ifCancelled }) {
      if (ifCancelled !== null) return writeWanted(data);
      lock.assertHeld();
      if (!(await jobData.writeActive(id, token, data))) throw new LockLost();
      return true;
    },
  };
}

/** One run of a job, in the trace that its delivery began. */
function tracedRun(taken: TakenJob, context: ScanContext): Promise<RunResult> {
  return context.tracing.within(
    () => {
      const parsed = parseJob(taken.data);
      if (parsed.kind === 'unreadable') return { name: 'scan', kind: 'consumer' };
      const { library, event_id: event, traceparent: parent } = parsed.job;
      return { name: 'scan', kind: 'consumer', parent, facts: { library, event } };
    },
    async (setFacts) => {
      const result = await runScan(taken, context);
      setFacts({ outcome: ('job' in result && result.job.progress.outcome) || result.kind });
      return result;
    },
  );
}

export type FinishContext = SettleContext &
  ObserverContext &
  Pick<ScanContext, 'endCheck' | 'reporter' | 'jobData' | 'log'>;

/**
 * Ends a job in Redis and at its desk, or with what it comes to where its event was cancelled meanwhile; returns the job as it
 * ended. All of it may be done again after a crash: receipts are written once per event, the ledger settles once, Koha keeps the
 * highest number that it received.
 */
export async function finishJob(
  ended: Ended,
  taken: Pick<HeldJob, 'id' | 'job' | 'write'>,
  context: FinishContext,
): Promise<JobData> {
  const { endCheck, reporter } = context;
  endCheck.writing(taken.job, () => endAgain(ended, taken.id, context));
  let isWritten = true;
  // Whoever has the job by now, and wherever Redis is: what has left is on record.
  const written = allDone([
    recordDisclosures(ended.job, context, ended.copy),
    taken.write(ended).then((is) => {
      isWritten = is;
    }),
  ]);
  if (ended.checkout?.result === 'CHECKED_OUT') {
    // The lock was held when the checkout was noted, and whoever has the job by now finds it at Koha: the desk need not wait.
    const settled = written.then(() => settleEnd(ended.job, taken.id, context));
    await allDone([settled, reporter.reportEnd(ended.job)]);
    return ended.job;
  }
  await written;
  if (!isWritten && ended.ifCancelled !== null) return finishJob(ended.ifCancelled(), taken, context);
  await followEnd(ended.job, taken, context);
  return ended.job;
}

const followEnd = (job: JobData, { id }: Pick<HeldJob, 'id'>, context: FinishContext): Promise<void> =>
  allDone([settleEnd(job, id, context), context.reporter.reportEnd(job)]);

async function settleEnd(job: JobData, jobId: string, context: FinishContext): Promise<void> {
  await settle(job, jobId, context);
  observeEnd(job, context);
}

/** Writes all that an end leaves in Redis once more, where it was lost. */
async function endAgain({ job, data, copy }: Ended, jobId: string, context: FinishContext): Promise<void> {
  const wasLost = await context.jobData.writeLostEnd(jobId, data);
  await recordDisclosures(job, context, copy);
  await settle(job, jobId, context);
  if (!wasLost) return;
  const event = { event: job.event_id, library: job.library };
  context.log.warn(event, 'the end was lost with a Redis and written again');
}

/** Before a job is delayed: however long it waits and whoever ends it, what has left is on record. */
async function settleDelay(delayed: Delayed, { id }: HeldJob, context: ScanContext): Promise<void> {
  const { job, forCircuitsOf, forPausesOf, worthReporting } = delayed;
  const { redis, reporter } = context;
  await recordDisclosures(job, context);
  await releaseQuota(job, context);
  await Promise.all([
    ...forCircuitsOf.map((library) => noteDelayed(redis, library, id)),
    ...forPausesOf.map(({ library, side }) => notePaused(redis, library, side, id)),
  ]);
  observeDelay(delayed, context);
  if (worthReporting) reporter.reportWaiting(job);
}

/** Waits for all of them, whatever becomes of each; then throws what the first one that failed threw. */
async function allDone(works: readonly Promise<unknown>[]): Promise<void> {
  await Promise.allSettled(works);
  await Promise.all(works);
}

function endJob({ progress: { outcome, problem } }: JobData): void {
  if (outcome === null || !isFailure(outcome)) return;
  const named = problem === null ? [] : [problem.library, problem.what, problem.name ?? ''];
  throw new UnrecoverableError([outcome, ...named].join(' ').trim());
}

/** Whether a job has failed with what its event came to, and not with a bug. */
export const isOutcome = (error: Error): boolean => error instanceof UnrecoverableError;

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
