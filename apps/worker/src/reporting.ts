import type { Consortium } from '@passport/config';
import { type ReportJobs, countDelayedReports, noteDelayedReport, queueReport } from '@passport/queue';
import type { Lifecycle, Logger, Redis, Tracing } from '@passport/runtime';
import { longestPatienceMs } from './job/requeue.ts';
import { startReportWorker } from './job/report-worker.ts';
import type { Libraries } from './koha/libraries.ts';
import { type Reporter, buildReporter } from './koha/report.ts';
import type { Sources } from './sources.ts';

/** A library without the plugin says so by `retry.tell_koha`. */
export const hasPlugin = ({ libraries }: Consortium, id: string): boolean =>
  libraries.some((each) => each.id === id && each.retry.tellKoha);

/** Reports each state to its library's Koha at once, and leaves to the queue of reports what must wait. */
export function openReporter(deps: {
  readonly consortium: Consortium;
  readonly redis: Redis;
  readonly reportQueue: ReportJobs;
  readonly libraries: Libraries;
  readonly nameOf: (library: string) => string;
  readonly lifecycle: Lifecycle;
  readonly sources: Sources;
  readonly tracing: Tracing;
  readonly now: () => number;
  readonly log: Logger;
}): Reporter {
  const { consortium, redis, reportQueue, lifecycle, now, log, ...others } = deps;
  const reporter = buildReporter({
    ...others,
    wantsReports: (id) => hasPlugin(consortium, id),
    async queueReport({ library, event_id, traceparent, progress }) {
      const before = await countDelayedReports(redis, library);
      const report = { library, event_id, since_ms: now(), traceparent };
      if (await queueReport(reportQueue, report, progress.seq, before)) return;
      log.warn({ event: event_id, library, waiting: before }, 'report dropped: too many reports wait');
    },
    deadline: lifecycle.deadline,
    log,
  });
  lifecycle.own('reports', () => reporter.settled());
  return reporter;
}

/** Starts the worker of what waits in the queue of reports. */
export function startReports({
  consortium,
  ...deps
}: Omit<Parameters<typeof startReportWorker>[0], 'noteDelayed' | 'giveUpAfterMs' | 'longestGiveUpMs'> & {
  readonly consortium: Consortium;
}): ReturnType<typeof startReportWorker> {
  const { redis } = deps;
  const giveUpAfterMs = new Map(consortium.libraries.map(({ id, retry }) => [id, retry.giveUpAfterMs]));
  return startReportWorker({
    ...deps,
    giveUpAfterMs: (id) => giveUpAfterMs.get(id) ?? null,
    longestGiveUpMs: longestPatienceMs(consortium.libraries),
    async noteDelayed(library, jobId) {
      await noteDelayedReport(redis, library, jobId);
      return countDelayedReports(redis, library);
    },
  });
}
