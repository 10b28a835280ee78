import type { ProblemKind } from '@passport/contract';
import { type LibraryHealth, isSlow } from '@passport/queue/processes';

interface Seen {
  openSinceMs: number | null;
  lastSuccessMs: number | null;
  lastFailureMs: number | null;
  lastFailure: string | null;
  problem: { readonly what: ProblemKind; readonly name: string | null } | null;
  reportsRefused: LibraryHealth['reports_refused'];
  reportTakenMs: number | null;
  isChanged: boolean;
  /** What was taken last, to be written. */
  taken: LibraryHealth | null;
}

/** That a well library has answered again is written so often: of thousands, each scan comes to two others. */
const ROUTINE_MS = 60_000;

/** Whether nobody has to hear of it before its minute is over. */
function isRoutine(health: LibraryHealth, before: LibraryHealth | null): boolean {
  if (before === null || health.at_ms - before.at_ms >= ROUTINE_MS) return false;
  return (
    health.open === before.open &&
    health.last_failure_ms === before.last_failure_ms &&
    health.problem === before.problem &&
    health.waiting === before.waiting &&
    health.reports_refused?.code === before.reports_refused?.code &&
    isSlow(health.answer_ms) === isSlow(before.answer_ms)
  );
}

const UNSEEN: Seen = {
  openSinceMs: null,
  lastSuccessMs: null,
  lastFailureMs: null,
  lastFailure: null,
  problem: null,
  reportsRefused: null,
  reportTakenMs: null,
  isChanged: false,
  taken: null,
};

export type HealthTracker = ReturnType<typeof buildHealthTracker>;

/** Builds what keeps for the dashboard what this process sees of the libraries. */
export function buildHealthTracker(
  libraries: readonly string[],
  load: (library: string) => { readonly answerMs: number | null; readonly waiting: number },
  now: () => number,
) {
  const all = new Map<string, Seen>(libraries.map((id) => [id, { ...UNSEEN }]));
  const change = (library: string, what: Partial<Seen>): void => {
    const seen = all.get(library);
    if (seen !== undefined) Object.assign(seen, what, { isChanged: true });
  };
  return {
    circuitChanged: (library: string, open: boolean): void =>
      change(library, { openSinceMs: open ? now() : null }),
    answered: (library: string): void => change(library, { lastSuccessMs: now() }),
    failed: (library: string, code: string): void =>
      change(library, { lastFailureMs: now(), lastFailure: code }),
    misconfigured: (library: string, problem: NonNullable<Seen['problem']>): void =>
      change(library, { problem }),
    /** Its Koha has taken a report (null), or has refused one with this code. */
    reported(library: string, code: string | null): void {
      const since_ms = all.get(library)?.reportsRefused?.since_ms ?? now();
      if (code === null) change(library, { reportsRefused: null, reportTakenMs: now() });
      else change(library, { reportsRefused: { since_ms, last_ms: now(), code } });
    },
    /** A job went through there: whatever was set up wrongly is fixed. */
    worked(library: string): void {
      if (all.get(library)?.problem !== null) change(library, { problem: null });
    },
    /** What has changed since the last time and is to be written, by library. */
    takeChanges: (): readonly (readonly [string, LibraryHealth])[] =>
      [...all].flatMap(([library, seen]) => {
        if (!seen.isChanged) return [];
        const { answerMs, waiting } = load(library);
        const health: LibraryHealth = {
          open: seen.openSinceMs !== null,
          open_since_ms: seen.openSinceMs,
          last_success_ms: seen.lastSuccessMs,
          last_failure_ms: seen.lastFailureMs,
          last_failure: seen.lastFailure,
          answer_ms: answerMs === null ? null : Math.round(answerMs),
          waiting,
          problem: seen.problem,
          reports_refused: seen.reportsRefused,
          report_taken_ms: seen.reportTakenMs,
          at_ms: now(),
        };
        if (isRoutine(health, seen.taken)) return [];
        Object.assign(seen, { isChanged: false, taken: health });
        return [[library, health]];
      }),
    /** What was taken of this library could not be written: it is still a change. */
    unwritten: (library: string): void => change(library, { taken: null }),
  };
}
