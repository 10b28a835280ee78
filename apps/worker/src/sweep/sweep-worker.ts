import { LenientWorker, putOff, refuseForGood } from '@passport/queue/bullmq';
import { SWEEPS } from '@passport/queue/keys';
import {
  type CopiesJob,
  copiesJobSchema,
  dropSchedules,
  dropSetUps,
  nightlyOf,
  openSweepQueue,
  queueDue,
} from '@passport/queue/sweeps';
import { buildDeskActivity, buildSweepCalls } from '../koha/sweep-calls.ts';
import { isForGood, rethrowInCodes, textOf } from '../koha/koha-failure.ts';
import { type SliceTimes, SweepPaused, assertNoPause, beginSlice } from '../koha/slice.ts';
import { doLoansJob } from '../loans/loans-job.ts';
import { doOwedJob, queueLastReadings } from '../owed/owed-job.ts';
import { doSetUpJob } from '../set-up/set-up-job.ts';
import { doSweepJob, noteFailed } from './sweep-job.ts';
import type { CopiesContext, WorkContext } from '../work-context.ts';

/** A dead worker's sweep goes on elsewhere within a minute. */
const LOCK_MS = 30_000;
const STALLED_INTERVAL_MS = 15_000;
/** A second worker that dies under the same job is no accident: it is the job. */
const MOST_STALLS = 1;
/** The same refusal so many times before means that somebody has to do something first. */
const MOST_REFUSALS = 2;

const SLICES: SliceTimes = { sliceMs: 60_000, lateMs: 300_000 };

export interface SweepWorkerDeps
  extends
    CopiesContext,
    Pick<WorkContext, 'connection' | 'newId' | 'pauseLeft'>,
    Partial<Pick<WorkContext, 'fetches'>> {
  readonly slices?: SliceTimes;
}

export type SweepWorker = Awaited<ReturnType<typeof startSweepWorker>>;

/**
 * Starts this process's share of the sweeps over copies, the readings of what they owe, the counting of their loans and the checks of
 * set-ups, in slices of a minute, and queues what is due.
 * The caller has `queueNights` called again and again.
 */
export async function startSweepWorker(deps: SweepWorkerDeps) {
  const { consortium, connection, redis, now, log, slices = SLICES } = deps;
  const queue = openSweepQueue(redis);
  const stopping = new AbortController();
  const noted = new Set<Promise<void>>();
  const nightly = nightlyOf(consortium.libraries);
  const known = new Set<string>();
  const queueNights = (): Promise<void> => queueDue(redis, queue, nightly, { nowMs: now(), known });
  await dropSchedules(redis, nightly);
  await dropSetUps(redis, new Set(consortium.libraries.filter(({ enabled }) => enabled).map(({ id }) => id)));
  await queueNights();
  await queueLastReadings(consortium, queue, redis);

  const work = async (jobId: string, wanted: CopiesJob): Promise<void> => {
    // Calls to a paused library would hold the one place of this worker for their retries.
    if (wanted.kind !== 'set_up') assertNoPause(wanted.library, deps);
    const slice = beginSlice(slices, deps);
    const callsUntil = (signal: AbortSignal) =>
      buildSweepCalls({ ...deps, isBusy: buildDeskActivity(deps), signal });
    const common = { ...deps, callsUntil, slice, stopping: stopping.signal };
    try {
      if (wanted.kind === 'owed') await doOwedJob(jobId, wanted, common);
      else if (wanted.kind === 'loans') await doLoansJob(jobId, wanted, common);
      else if (wanted.kind === 'set_up') await doSetUpJob(jobId, wanted, common);
      else await doSweepJob(jobId, wanted, { ...common, isAlive: (id) => isAlive(queue, id) });
    } finally {
      slice.end();
    }
  };
  const worker = new LenientWorker(
    SWEEPS,
    async (job, token) => {
      const wanted = copiesJobSchema.safeParse(job.data);
      if (!wanted.success) return;
      await work(job.id ?? '', wanted.data).catch((error: unknown) => {
        if (error instanceof SweepPaused) return putOff(job, token, error.untilMs);
        const because = textOf(error);
        const isRepeated = job.attemptsMade >= MOST_REFUSALS && job.failedReason === because;
        if (isForGood(error) && isRepeated) refuseForGood(because);
        return rethrowInCodes(error);
      });
    },
    {
      connection,
      fetches: deps.fetches,
      concurrency: 1,
      lockDuration: LOCK_MS,
      stalledInterval: STALLED_INTERVAL_MS,
      maxStalledCount: MOST_STALLS,
    },
  );
  worker.on('failed', (job, error) => {
    const isLast = job?.finishedOn !== undefined;
    log.warn({ sweep: job?.name, because: error.message }, isLast ? 'sweep failed' : 'sweep interrupted');
    const wanted = copiesJobSchema.safeParse(job?.data).data;
    if (!isLast || wanted?.kind !== 'sweep') return;
    const because = error.message;
    const note = noteFailed(redis, job.id ?? '', wanted, { because, nowMs: now() })
      .catch(() => undefined) // its job says the same
      .finally(() => noted.delete(note));
    noted.add(note);
  });
  return {
    /** Queues what is due by now. */
    queueNights,
    async close(): Promise<void> {
      stopping.abort(new SweepPaused(now()));
      await worker.close();
      await Promise.all(noted);
      await queue.close();
    },
  };
}

async function isAlive(queue: ReturnType<typeof openSweepQueue>, jobId: string): Promise<boolean> {
  return !['completed', 'failed', 'unknown'].includes(await queue.getJobState(jobId));
}
