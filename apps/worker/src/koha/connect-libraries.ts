import type { Consortium, Library } from '@passport/config';
import { type OpenKohaClient, createKohaClient } from '@passport/koha-client';
import type { Lifecycle, Logger, Tracing } from '@passport/runtime';
import type { KohaMetrics } from '../metrics/koha-metrics.ts';
import { type CallCaps, buildCallCaps } from './call-caps.ts';
import { buildFailureLog, nameOfFailure } from './failure-log.ts';
import { type LibraryWatch, buildLibraries } from './libraries.ts';
import type { PauseLeft } from './pauses.ts';
import type { Sources } from '../sources.ts';
import { buildHealthTracker } from './health-tracker.ts';
import { type SlotClock, buildSlotClock } from './slot-clock.ts';

/** A job waits this long for a place at a library under its cap; then it reserves one and leaves its slot to others. */
const SLOT_WAIT_MS = 250;
/** While no other job needs the slot: two web workers that take 400 ms serve the 30 scans of a class in this time. */
export const SLOT_WAIT_WHEN_FREE_MS = 6_000;

/** A checkout on 23.11 reads what Koha says of itself and the item, and is sent then. */
const MOST_CALLS_OF_A_WRITE = 3;

/** How long a write can take: each of its calls waits for a place, then for its answer. */
export function longestWriteMs(timeoutMs: number): number {
  return MOST_CALLS_OF_A_WRITE * (SLOT_WAIT_WHEN_FREE_MS + timeoutMs);
}

export interface ConnectDeps extends Pick<Sources, 'monotonicNow' | 'random' | 'wallNow'> {
  readonly consortium: Consortium;
  readonly lifecycle: Lifecycle;
  readonly metrics: KohaMetrics;
  /** Whether no other job needs the slots of those who wait. */
  readonly hasFreeSlots: () => boolean;
  readonly tracing: Tracing;
  readonly pauseLeft: PauseLeft;
  readonly now: () => number;
  readonly log: Logger;
}

/** Opens a client for each library and watches what comes of the calls. Nothing is sent yet. */
export function connectLibraries(deps: ConnectDeps) {
  const { consortium, lifecycle, monotonicNow, metrics, now, log } = deps;
  const caps = buildCallCaps(consortium.libraries, monotonicNow);
  const slots = buildSlotClock((id) => caps.of(id), monotonicNow);
  const health = buildHealthTracker(
    consortium.libraries.map(({ id }) => id),
    (id) => ({ answerMs: slots.answerMs(id), waiting: caps.waiting(id) }),
    now,
  );
  const clients = new Map<string, OpenKohaClient>();
  for (const library of consortium.libraries) {
    const client = connect(library, { caps, slots }, deps);
    lifecycle.own(`client ${library.id}`, () => client.close());
    metrics.circuitOpen(library.id, false);
    clients.set(library.id, client);
  }
  const failures = buildFailureLog(monotonicNow, log);
  const watch: LibraryWatch = {
    circuitChanged(library, isOpen) {
      // Whoever waits for a place there would only be silent with the others.
      if (isOpen) clients.get(library)?.dismissWaiting();
      metrics.circuitOpen(library, isOpen);
      health.circuitChanged(library, isOpen);
      failures.circuitChanged(library, isOpen);
    },
    answered(library) {
      health.answered(library);
      failures.answered(library);
    },
    failed(library, failure) {
      health.failed(library, nameOfFailure(failure));
      failures.failed(library, failure);
    },
    reported: (library, failure) =>
      health.reported(library, failure === null ? null : nameOfFailure(failure)),
  };
  const libraries = buildLibraries(clients, deps, watch, deps.pauseLeft);
  const isBusy = (id: string): boolean => {
    const client = clients.get(id);
    return client !== undefined && client.inFlight + client.waiting > 0;
  };
  return { libraries, slots, health, isBusy };
}

function connect(
  { id, koha }: Library,
  { caps, slots }: { readonly caps: CallCaps; readonly slots: SlotClock },
  { wallNow, metrics, tracing, hasFreeSlots }: ConnectDeps,
): OpenKohaClient {
  const client = createKohaClient({
    library: id,
    url: koha.url,
    clientId: koha.clientId.reveal(),
    clientSecret: koha.clientSecret.reveal(),
    timeoutMs: koha.timeoutMs,
    maxInFlight: caps.of(id),
    onCrowded: () => caps.crowded(id),
    slotWaitMs: () => (hasFreeSlots() ? SLOT_WAIT_WHEN_FREE_MS : SLOT_WAIT_MS),
    now: wallNow,
    onCall: ({ operation, status, ms }) => {
      metrics.request({ library: id, operation, status: String(status), seconds: ms / 1000 });
      tracing.called({ facts: { library: id, operation, status }, ms });
      // Without the wait for a place under our own cap.
      if (typeof status === 'number' && status < 500) slots.answered(id, ms);
    },
  });
  caps.attach(id, client);
  metrics.calls(id, () => ({ inFlight: client.inFlight, waiting: client.waiting, limit: caps.of(id) }));
  return client;
}
