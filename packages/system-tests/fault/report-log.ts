import type { Exchange } from '@passport/koha-double';
import { waitFor } from '@passport/testkit';

/** What was reported of an event, and when: monotonic, in milliseconds. */
export interface Report {
  readonly at: number;
  readonly state: string;
  readonly outcome: string | null;
  /** The library that is waited for. */
  readonly waitingFor: string | null;
}

export interface ReportLog {
  /** For `onExchange` of a Koha. */
  hear(exchange: Exchange): void;
  of(eventId: string): readonly Report[];
  /** The first report of an event that fits; waits for it. */
  first(eventId: string, fits: (report: Report) => boolean, timeoutMs?: number): Promise<Report>;
}

const OUTCOME_PATH = '/contrib/passport/scans/{event_id}/outcome';

/**
 * Notes the moment of every report that a Koha has taken: one that a fault answers reaches no desk. Polling the receiver instead would be
 * a load of its own.
 */
export function createReportLog(): ReportLog {
  const log = new Map<string, Report[]>();
  const of = (eventId: string): readonly Report[] => log.get(eventId) ?? [];
  return {
    of,
    hear({ path, requestBody, status, isScripted }) {
      if (path !== OUTCOME_PATH || status !== 204 || isScripted) return;
      const body = requestBody as {
        event_id: string;
        state: string;
        outcome: string | null;
        waiting_for: { library: string } | null;
      };
      const waitingFor = body.waiting_for?.library ?? null;
      const report = { at: performance.now(), state: body.state, outcome: body.outcome, waitingFor };
      log.set(body.event_id, [...of(body.event_id), report]);
    },
    first: (eventId, fits, timeoutMs = 30_000) =>
      waitFor(
        `the report that is looked for of ${eventId}`,
        () => {
          const report = of(eventId).find(fits);
          if (report === undefined) throw new Error(`reported so far: ${JSON.stringify(of(eventId))}`);
          return report;
        },
        { timeoutMs, everyMs: 50 },
      ),
  };
}
