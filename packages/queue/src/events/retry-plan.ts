import type { EventState } from '@passport/contract';
import type { FailedEvent, FailedEvents } from './failed-events.ts';
import type { PersonRetry } from './retry-by-person.ts';

/** What of a library's configuration decides whether a retry is of use. */
export interface RetriedLibrary {
  readonly id: string;
  readonly retry: { readonly checkout: boolean; readonly checkoutWithinMs: number };
}

/** Why a failed event is left out of a bulk retry. */
export type LeftOut = 'cancelled' | 'too_late' | 'no_card' | 'unknown_library';

/** Why, in words. */
export const LEFT_OUT_WORDS: Readonly<Record<LeftOut, string>> = {
  too_late: 'too late for their checkout (passport events retry --with-late retries them for the copy alone)',
  cancelled: 'cancelled at the desk',
  no_card: 'without their card',
  unknown_library: 'of a library that the configuration lacks',
};

/** What a bulk retry would do, and what it would not. */
export interface RetryPlan {
  /** First those that no person has retried yet, and of these the newest scans: their patrons are likeliest still there. */
  readonly events: readonly FailedEvent[];
  readonly leftOut: readonly (readonly [why: LeftOut, event: FailedEvent])[];
  readonly unreadable: number;
}

/**
 * Whether the desk waited for a checkout that must not be made any more: `checkout_within` is over, or the item is gone for that. A
 * retry would make the copy without it.
 */
function isTooLate(
  { checkoutRequested, hasItem, scannedMs }: FailedEvent,
  { retry }: RetriedLibrary,
  nowMs: number,
): boolean {
  if (!checkoutRequested || !retry.checkout) return false;
  return !hasItem || nowMs - scannedMs > retry.checkoutWithinMs;
}

/** Sorts failed events into those to retry and those that are of use to nobody; with `withLate` the copies of late ones are wanted. */
export function planRetry(
  { events, unreadable }: FailedEvents,
  { libraries }: { readonly libraries: readonly RetriedLibrary[] },
  { nowMs, withLate }: { readonly nowMs: number; readonly withLate: boolean },
): RetryPlan {
  const byId = new Map(libraries.map((library) => [library.id, library]));
  const whyNot = (event: FailedEvent): LeftOut | null => {
    const library = byId.get(event.state.library);
    if (library === undefined) return 'unknown_library';
    if (event.isCancelled) return 'cancelled';
    if (!event.hasCard) return 'no_card';
    return !withLate && isTooLate(event, library, nowMs) ? 'too_late' : null;
  };
  const sorted = events.map((event) => [whyNot(event), event] as const);
  const wanted = sorted.flatMap(([why, event]) => (why === null ? [event] : []));
  return {
    events: [...wanted.filter((event) => !event.wasRetried), ...wanted.filter((event) => event.wasRetried)],
    leftOut: sorted.flatMap(([why, event]) => (why === null ? [] : [[why, event] as const])),
    unreadable,
  };
}

/** So many retried events may be unfinished at once: the desks have the other slots of the workers. */
const MOST_OPEN = 4;
const LOOK_MS = 250;
/** So long it is followed what was retried last, and waited for anything to come of those that are open. */
const PATIENCE_MS = 30_000;
/** The cause is still there when so many have failed again or wait, and at least as many as have ended well. */
const TROUBLED = 3;

/** The outcome of the events that were retried. */
export interface Applied {
  readonly retried: number;
  readonly ended: number;
  /** Failed once more. */
  readonly failedAgain: readonly EventState[];
  /** Wait for a library, or for its next hour. */
  readonly waiting: readonly EventState[];
  /** Retried, and still not finished. */
  readonly unfinished: number;
  /** No longer failed when they were due: somebody else was faster. */
  readonly skipped: number;
  /** Gone, or not to be read, when they were due. */
  readonly missing: number;
  /** Not retried. */
  readonly left: number;
  /** `done`: all were retried and have come to an end or wait; `stalled`: nothing came of some of them for a while. */
  readonly stopped: 'done' | 'trouble' | 'stalled' | 'interrupted';
}

interface ApplyDeps {
  readonly retryOne: (event: FailedEvent) => Promise<{ readonly kind: PersonRetry['kind'] | 'skipped' }>;
  readonly read: (event: FailedEvent) => Promise<EventState | null>;
  readonly paceMs: number;
  readonly now: () => number;
  /** Ends early when the person has seen enough. */
  readonly pause: (ms: number) => Promise<void>;
  /** Whether nothing more is to be begun. */
  readonly isOver: () => boolean;
  /** Called with each event that came to an end, or waits. */
  readonly report: (event: FailedEvent, state: EventState) => void;
}

/** Retries the events of a plan one after the other, and stops when that is of no use. */
export async function applyPlan(events: readonly FailedEvent[], deps: ApplyDeps): Promise<Applied> {
  const { isOver, now, pause } = deps;
  const open = new Map<string, FailedEvent>();
  const failedAgain: EventState[] = [];
  const waiting: EventState[] = [];
  let [retried, ended, skipped, missing, next] = [0, 0, 0, 0, 0];
  let patientUntil = now() + PATIENCE_MS;
  const look = async (): Promise<void> => {
    for (const event of open.values()) {
      const state = await deps.read(event);
      if (state?.state === 'queued' || state?.state === 'working') continue;
      open.delete(event.jobId);
      patientUntil = now() + PATIENCE_MS;
      if (state === null) continue; // finished, and already removed
      if (state.state === 'failed') failedAgain.push(state);
      else if (state.state === 'waiting') waiting.push(state);
      else ended += 1;
      deps.report(event, state);
    }
  };
  const isTroubled = (): boolean => {
    const troubled = failedAgain.length + waiting.length;
    return troubled >= TROUBLED && troubled >= ended;
  };
  while (next < events.length && !isOver()) {
    await look();
    if (isTroubled()) break;
    const event = events[next];
    if (open.size >= MOST_OPEN || event === undefined) {
      if (now() >= patientUntil) break;
      await pause(LOOK_MS);
      continue;
    }
    next += 1;
    const { kind } = await deps.retryOne(event);
    if (kind === 'retried') {
      retried += 1;
      open.set(event.jobId, event);
    } else if (kind === 'unknown' || kind === 'unreadable') missing += 1;
    else skipped += 1;
    if (next < events.length) await pause(deps.paceMs);
  }
  const isStalled = now() >= patientUntil;
  const until = isStalled ? 0 : now() + PATIENCE_MS;
  for (;;) {
    await look();
    if (open.size === 0 || isOver() || now() >= until) break;
    await pause(LOOK_MS);
  }
  const left = events.length - next;
  const isDone = left === 0 && open.size === 0;
  const why = isOver() ? 'interrupted' : isStalled || left === 0 ? 'stalled' : 'trouble';
  return {
    retried,
    ended,
    failedAgain,
    waiting,
    unfinished: open.size,
    skipped,
    missing,
    left,
    stopped: isDone ? 'done' : why,
  };
}

/** Whether all that were to be retried were, and have ended or wait. */
export const isRetryWell = ({ stopped, failedAgain, missing }: Applied): boolean =>
  stopped === 'done' && failedAgain.length === 0 && missing === 0;
