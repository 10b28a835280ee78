import { type JobData, eventStateOf } from '@passport/contract';
import type { Logger, SpanStart, Tracing } from '@passport/runtime';
import type { Libraries } from './libraries.ts';
import { isKohaFailure } from './koha-failure.ts';
import { repeatAtOnce } from './of-the-moment.ts';
import type { Sources } from '../sources.ts';

/** Reports the state of an event to its library's Koha (the plugin's `PUT /scans/{event_id}/outcome`). A report never changes the outcome. */
export interface Reporter {
  /** Reports an end: at once within a short deadline, otherwise later. Resolves when one of the two is done. */
  reportEnd(job: JobData): Promise<void>;
  /** Reports in the background that a job waits; not awaited and not repeated, since the next state will be reported too. */
  reportWaiting(job: JobData): void;
  /** Resolves when no report is being sent in the background. */
  settled(): Promise<void>;
}

/** A worker's slot is not kept longer than this for a Koha that is slow to take a report. */
const END_DEADLINE_MS = 3_000;
const WAITING_DEADLINE_MS = 3_000;

export function buildReporter(deps: {
  readonly libraries: Libraries;
  readonly wantsReports: (library: string) => boolean;
  readonly nameOf: (library: string) => string;
  readonly queueReport: (job: JobData) => Promise<void>;
  /** Aborted when the process must end: a report that is being sent then is sent later. */
  readonly deadline: AbortSignal;
  readonly sources: Pick<Sources, 'pause' | 'monotonicNow'>;
  readonly tracing: Tracing;
  readonly log: Logger;
}): Reporter {
  const { libraries, wantsReports, nameOf, queueReport, deadline: signal, sources, tracing, log } = deps;
  const beside = new Set<Promise<void>>();
  const send = (job: JobData, timeoutMs: number): Promise<void> =>
    tracing.within(
      () => reportSpan({ library: job.library, event: job.event_id, parent: job.traceparent }),
      () =>
        libraries.callBeside(job.library, (koha) =>
          koha.reportOutcome(job.event_id, eventStateOf(job, false, nameOf), { timeoutMs, signal }),
        ),
    );

  return {
    async reportEnd(job) {
      if (!wantsReports(job.library)) return;
      try {
        // Koha keeps the newest state that it received, so that a report may be made twice.
        await repeatAtOnce(() => send(job, END_DEADLINE_MS), { signal, ...sources });
      } catch (error) {
        if (!isKohaFailure(error)) throw error;
        log.info(
          { event: job.event_id, library: job.library, code: error.code },
          'report will be sent later',
        );
        await queueReport(job);
      }
    },
    reportWaiting(job) {
      if (!wantsReports(job.library)) return;
      const report = send(job, WAITING_DEADLINE_MS)
        .catch((error: unknown) => {
          const code = isKohaFailure(error) ? error.code : 'unforeseen';
          log.debug({ event: job.event_id, library: job.library, code }, 'waiting was not reported');
        })
        .finally(() => beside.delete(report));
      beside.add(report);
    },
    settled: async () => void (await Promise.all(beside)),
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
