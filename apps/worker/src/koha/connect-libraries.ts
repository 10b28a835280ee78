import type { Consortium, Library } from '@passport/config';
import { type KohaClient, createKohaClient } from '@passport/koha-client';
import type { Lifecycle, Logger, Tracing, kohaMetrics } from '@passport/runtime';
import { buildFailureLog, nameOfFailure } from './failure-log.ts';
import { type Libraries, buildLibraries } from './libraries.ts';
import type { Sources } from '../sources.ts';
import type { HealthTracker } from './health-tracker.ts';
import type { SlotClock } from './slot-clock.ts';

/** A worker's slot waits this long for a place at a library under its cap; then the job books one and makes room. */
const SLOT_WAIT_MS = 250;

/** Opens a client for each library and watches what comes of the calls. Nothing is sent yet. */
export function connectLibraries(deps: {
  readonly consortium: Consortium;
  readonly lifecycle: Lifecycle;
  readonly sources: Sources;
  readonly metrics: ReturnType<typeof kohaMetrics>;
  readonly slots: SlotClock;
  readonly health: HealthTracker;
  readonly tracing: Tracing;
  readonly log: Logger;
}): Libraries {
  const { consortium, lifecycle, sources, metrics, slots, health, log } = deps;
  const clients = new Map<string, KohaClient>();
  for (const library of consortium.libraries) {
    const client = connect(library, deps);
    lifecycle.own(`client ${library.id}`, () => client.close());
    metrics.circuitOpen(library.id, false);
    clients.set(library.id, client);
  }
  const failures = buildFailureLog(sources.monotonicNow, log);
  return buildLibraries(clients, sources, {
    circuitChanged(library, isOpen) {
      metrics.circuitOpen(library, isOpen);
      health.circuitChanged(library, isOpen);
      failures.circuitChanged(library, isOpen);
    },
    answered(library, ms) {
      slots.answered(library, ms);
      health.answered(library);
      failures.answered(library);
    },
    failed(library, failure) {
      health.failed(library, nameOfFailure(failure));
      failures.failed(library, failure);
    },
  });
}

function connect(
  { id, koha }: Library,
  { sources, metrics, tracing }: Parameters<typeof connectLibraries>[0],
): ReturnType<typeof createKohaClient> {
  const client = createKohaClient({
    library: id,
    url: koha.url,
    clientId: koha.clientId.reveal(),
    clientSecret: koha.clientSecret.reveal(),
    timeoutMs: koha.timeoutMs,
    maxInFlight: koha.maxInFlight,
    slotWaitMs: SLOT_WAIT_MS,
    now: sources.wallNow,
    onCall: ({ operation, status, ms }) => {
      metrics.request({ library: id, operation, status: String(status), seconds: ms / 1000 });
      tracing.called({ facts: { library: id, operation, status }, ms });
    },
  });
  metrics.inFlight(id, () => client.inFlight);
  return client;
}
