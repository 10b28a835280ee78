import type { Consortium } from '@passport/config';
import { countDelayedReports, noteDelayedReport, queueReport } from '@passport/queue';
import { startReportWorker } from './job/report-worker.ts';
import { longestPatienceMs } from './job/requeue.ts';
import { type Reporter, buildReporter } from './koha/report.ts';
import type { WorkContext } from './work-context.ts';

/** A library without the plugin says so by `retry.tell_koha`. */
export const hasPlugin = ({ libraries }: Consortium, id: string): boolean =>
  libraries.some((each) => each.id === id && each.retry.tellKoha);

/** Reports each state to its library's Koha at once, and leaves to the queue of reports what must wait. */
export function openReporter(context: WorkContext): Reporter {
  const { config, connections, reportQueue, kohas, nameOf, sources, tracing, lifecycle, now, log } = context;
  const { redis } = connections;
  const reporter = buildReporter({
    libraries: kohas.libraries,
    nameOf,
    sources,
    tracing,
    wantsReports: (id) => hasPlugin(config.consortium, id),
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
export function startReports({ config, connections, kohas, lifecycle, ...context }: WorkContext): void {
  const { connection, redis, fetches } = connections;
  const { libraries } = config.consortium;
  const { nameOf, tracing, now, log } = context;
  const giveUpAfterMs = new Map(libraries.map(({ id, retry }) => [id, retry.giveUpAfterMs]));
  const reports = startReportWorker({
    connection,
    fetches,
    redis,
    libraries: kohas.libraries,
    nameOf,
    tracing,
    now,
    log,
    giveUpAfterMs: (id) => giveUpAfterMs.get(id) ?? null,
    longestGiveUpMs: longestPatienceMs(libraries),
    async noteDelayed(library, jobId) {
      await noteDelayedReport(redis, library, jobId);
      return countDelayedReports(redis, library);
    },
  });
  lifecycle.own('report worker', () => reports.close());
}
