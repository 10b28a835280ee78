import type { Consortium } from '@passport/config';
import { type JobData, eventStateOf } from '@passport/contract';
import { countDelayedReports } from '@passport/queue/delays';
import { queueReport } from '@passport/queue/reports';
import type { SpanStart } from '@passport/runtime';
import { isKohaFailure } from './koha-failure.ts';
import { repeatAtOnce } from './transient.ts';
import type { WorkContext } from '../work-context.ts';

/** A worker's slot is not kept longer than this for a Koha that is slow to take a report. */
const END_DEADLINE_MS = 3_000;
const WAITING_DEADLINE_MS = 3_000;

/** Whether a library has the plugin; one without says so by `retry.tell_koha`. */
export const hasPlugin = ({ libraries }: Consortium, id: string): boolean =>
  libraries.some((each) => each.id === id && each.retry.tellKoha);

export type Reporter = ReturnType<typeof buildReporter>;

/**
 * Builds what reports the state of an event to its library's Koha (the plugin's `PUT /scans/{event_id}/outcome`). A report never changes
 * the outcome.
 */
export function buildReporter(context: WorkContext) {
  const { consortium, libraries, redis, reportQueue, nameOf, now, tracing, log } = context;
  const { deadline: signal, pause, monotonicNow } = context;
  const reports = new Set<Promise<void>>();
  const send = (job: JobData, timeoutMs: number): Promise<void> =>
    tracing.within(
      () => reportSpan({ library: job.library, event: job.event_id, parent: job.traceparent }),
      () =>
        libraries.callBeside(job.library, (koha) =>
          koha.reportOutcome(job.event_id, eventStateOf(job, false, nameOf), { timeoutMs, signal }),
        ),
    );

  const sendLater = async ({ library, event_id, traceparent, progress }: JobData): Promise<void> => {
    const before = await countDelayedReports(redis, library);
    const report = { library, event_id, since_ms: now(), traceparent };
    if (await queueReport(reportQueue, report, progress.seq, before)) return;
    log.warn({ event: event_id, library, waiting: before }, 'report dropped: too many reports wait');
  };

  return {
    /** Reports an end: at once within a short deadline, otherwise later. Resolves when one of the two is done. */
    async reportEnd(job: JobData): Promise<void> {
      if (!hasPlugin(consortium, job.library)) return;
      try {
        // Koha keeps the newest state that it received, so that a report may be made twice.
        await repeatAtOnce(() => send(job, END_DEADLINE_MS), { signal, pause, monotonicNow });
      } catch (error) {
        if (!isKohaFailure(error)) throw error;
        log.info(
          { event: job.event_id, library: job.library, code: error.code },
          'report will be sent later',
        );
        await sendLater(job);
      }
    },
    /** Reports in the background that a job waits; not awaited and not repeated, since the next state will be reported too. */
    reportWaiting(job: JobData): void {
      if (!hasPlugin(consortium, job.library)) return;
      const report = send(job, WAITING_DEADLINE_MS)
        .catch((error: unknown) => {
          const code = isKohaFailure(error) ? error.code : 'unforeseen';
          log.debug({ event: job.event_id, library: job.library, code }, 'waiting was not reported');
        })
        .finally(() => reports.delete(report));
      reports.add(report);
    },
    /** Resolves when no report is being sent in the background. */
    settled: async (): Promise<void> => void (await Promise.all(reports)),
  };
}

/** A report in the trace of its event, be it made at once or later. */
export function reportSpan(about: {
  readonly library: string;
  readonly event: string;
  readonly parent: string | undefined;
}): SpanStart {
  const { library, event, parent } = about;
  return { name: 'report', kind: 'consumer', parent, facts: { library, event } };
}
