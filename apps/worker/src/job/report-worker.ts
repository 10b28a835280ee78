import { UnrecoverableError } from 'bullmq';
import { LenientWorker } from '@passport/queue/bullmq';
import { countDelayedReports, noteDelayedReport } from '@passport/queue/delays';
import { REPORTS } from '@passport/queue/keys';
import { type QueuedReport, reportSchema } from '@passport/queue/reports';
import { readEventState } from '@passport/queue/scans';
import { reportSpan } from '../koha/report.ts';
import { buildPauseWhileFull } from './pause-while-full.ts';
import { patienceMs } from './run-scan.ts';
import type { WorkContext } from '../work-context.ts';

const CONCURRENCY = 4;
/** As for scans: a dead worker's report goes on elsewhere within seconds, however often that happens. */
const LOCK_MS = 5_000;
const STALLED_INTERVAL_MS = 2_500;
const MOST_STALLS = 1_000;
/** A desk may still be looking, for the first minutes: it gets the report within this once its Koha takes reports again. */
const FIRST_DELAYS_MS = [1_000, 2_000, 4_000] as const;
const DESK_DELAY_MS = 5_000;
const DESK_TRIES = 24;
/** With the longest pause of the reports' circuit (libraries.ts) less than fifteen seconds. */
const LONGEST_DELAY_MS = 10_000;
/**
 * So much longer for each report that waits for the same library: however many one library makes, they are tried a hundred
 * times a second together and no more. Whoever finds the route well again promotes them all.
 */
const EACH_WAITING_MS = 10;
/** BullMQ would sleep for 15 s after a lost connection. */
const FETCH_AGAIN_MS = 1_000;

/** Starts what sends Koha the reports that it did not take at once: the state as of now, until `give_up_after`. */
export function startReportWorker({
  connection,
  fetches,
  redis,
  consortium,
  libraries,
  nameOf,
  now,
  tracing,
  log,
}: Pick<
  WorkContext,
  'connection' | 'redis' | 'consortium' | 'libraries' | 'nameOf' | 'now' | 'tracing' | 'log'
> &
  Partial<Pick<WorkContext, 'fetches'>>): { close(): Promise<void> } {
  const send = async (jobId: string, report: QueuedReport): Promise<void> => {
    const { library, event_id: eventId, since_ms: sinceMs, traceparent } = report;
    const own = consortium.libraries.find(({ id }) => id === library);
    const leftMs = (): number =>
      (own?.retry.giveUpAfterMs ?? patienceMs(library, consortium)) - (now() - sinceMs);
    if (own === undefined) {
      // The library is only in the configuration of a newer worker: that one shall report it.
      if (leftMs() > 0) throw new Error(`${library} is not in this worker's configuration`);
      log.warn({ event: eventId, library }, 'report given up');
      return;
    }
    const state = await readEventState(redis, library, eventId, nameOf);
    if (state === null) return;
    try {
      await tracing.within(
        () => reportSpan({ library, event: eventId, parent: traceparent }),
        () => libraries.callBeside(library, (koha) => koha.reportOutcome(eventId, state)),
      );
    } catch (error) {
      // No answer is final: a 404, 403, 405 or 302 of the plugin's route is a proxy's as often as a missing plugin's.
      if (leftMs() > 0) {
        if (!libraries.reportCircuit(library).isOpen) throw error;
        // Whoever finds the route well again promotes what waits for it.
        await noteDelayedReport(redis, library, jobId);
        const waitMs = (await countDelayedReports(redis, library)) * EACH_WAITING_MS;
        throw new RouteClosed(Math.min(waitMs, leftMs()));
      }
      log.warn({ event: eventId, library, error }, 'report given up');
    }
  };

  const worker = new LenientWorker(
    REPORTS,
    async (job) => {
      const report = reportSchema.safeParse(job.data);
      if (!report.success) throw new UnrecoverableError('UNREADABLE_JOB');
      await send(job.id ?? '', report.data);
    },
    {
      connection,
      fetches,
      concurrency: CONCURRENCY,
      lockDuration: LOCK_MS,
      stalledInterval: STALLED_INTERVAL_MS,
      maxStalledCount: MOST_STALLS,
      runRetryDelay: FETCH_AGAIN_MS,
      settings: { backoffStrategy: (attempts, _type, error) => reportDelayMs(attempts, error) },
    },
  );
  const pauseWhileFull = buildPauseWhileFull(worker, connection, log);
  worker.on('error', (error) => pauseWhileFull.hear(error));
  return {
    close: () => {
      pauseWhileFull.close();
      return worker.close();
    },
  };
}

/** Nobody at the library takes reports now. */
export class RouteClosed extends Error {
  override readonly name = 'RouteClosed';
  readonly waitMs: number;

  constructor(waitMs: number) {
    super('the route of reports is closed');
    this.waitMs = waitMs;
  }
}

/** Milliseconds until a report that failed `attempts` times is tried again. Pure. */
export function reportDelayMs(attempts: number, error?: Error): number {
  const delayMs =
    FIRST_DELAYS_MS[attempts - 1] ?? (attempts <= DESK_TRIES ? DESK_DELAY_MS : LONGEST_DELAY_MS);
  return error instanceof RouteClosed ? Math.max(delayMs, error.waitMs) : delayMs;
}
