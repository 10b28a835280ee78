import type { ProblemKind } from '@passport/contract';
import type { LibraryHealth } from '@passport/queue';

interface Seen {
  open: boolean;
  lastSuccessMs: number | null;
  lastFailureMs: number | null;
  lastFailure: string | null;
  problem: { readonly what: ProblemKind; readonly name: string | null } | null;
  isChanged: boolean;
}

/** What this process sees of the libraries, kept for the dashboard. */
export interface HealthTracker {
  circuitChanged(library: string, isOpen: boolean): void;
  answered(library: string): void;
  failed(library: string, code: string): void;
  misconfigured(library: string, problem: NonNullable<Seen['problem']>): void;
  /** A job went through there: whatever was set up wrongly is fixed. */
  worked(library: string): void;
  /** What has changed since the last time, by library. */
  takeChanges(): readonly (readonly [string, LibraryHealth])[];
  /** What was taken of this library could not be written: it is still a change. */
  unwritten(library: string): void;
}

export function buildHealthTracker(
  libraries: readonly string[],
  load: (library: string) => { readonly answerMs: number | null; readonly waiting: number },
  now: () => number,
): HealthTracker {
  const all = new Map<string, Seen>(
    libraries.map((id) => [
      id,
      {
        open: false,
        lastSuccessMs: null,
        lastFailureMs: null,
        lastFailure: null,
        problem: null,
        isChanged: false,
      },
    ]),
  );
  const change = (library: string, what: Partial<Seen>): void => {
    const seen = all.get(library);
    if (seen !== undefined) Object.assign(seen, what, { isChanged: true });
  };
  return {
    circuitChanged: (library, open) => change(library, { open }),
    answered: (library) => change(library, { lastSuccessMs: now() }),
    failed: (library, code) => change(library, { lastFailureMs: now(), lastFailure: code }),
    misconfigured: (library, problem) => change(library, { problem }),
    worked: (library) => {
      if (all.get(library)?.problem !== null) change(library, { problem: null });
    },
    takeChanges: () =>
      [...all].flatMap(([library, seen]) => {
        if (!seen.isChanged) return [];
        seen.isChanged = false;
        return [[library, healthOf(seen, load(library), now())] as const];
      }),
    unwritten: (library) => change(library, {}),
  };
}

const healthOf = (
  seen: Seen,
  { answerMs, waiting }: ReturnType<Parameters<typeof buildHealthTracker>[1]>,
  now: number,
): LibraryHealth => ({
  open: seen.open,
  last_success_ms: seen.lastSuccessMs,
  last_failure_ms: seen.lastFailureMs,
  last_failure: seen.lastFailure,
  answer_ms: answerMs === null ? null : Math.round(answerMs),
  waiting,
  problem: seen.problem,
  at_ms: now,
});
