import type { Consortium, Library } from '@passport/config';
import type { FailedEvent, FailedEvents } from '@passport/queue';

/** Why a failed event is left out of a bulk retry. */
export type LeftOut = 'cancelled' | 'too_late' | 'no_card' | 'unknown_library';

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
  { retry }: Library,
  nowMs: number,
): boolean {
  if (!checkoutRequested || !retry.checkout) return false;
  return !hasItem || nowMs - scannedMs > retry.checkoutWithinMs;
}

/** Sorts failed events into those to retry and those that are of use to nobody; with `withLate` the copies of late ones are wanted. */
export function planRetry(
  { events, unreadable }: FailedEvents,
  { libraries }: Pick<Consortium, 'libraries'>,
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
