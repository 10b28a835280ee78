import {
  type LibraryState,
  type ListedEvent,
  type OutcomeCount,
  type QueueFigures,
  type ScanJobs,
  backlogKey,
  listEvents,
  readLibraryStates,
  readOutcomeCounts,
  readQueue,
} from '@passport/queue';
import type { Redis } from '@passport/runtime';
import { type ServiceState, readService } from './read-service.ts';

/** A library as the configuration has it. */
export interface KnownLibrary {
  readonly id: string;
  readonly name: string;
  readonly enabled: boolean;
  /** What is allowed in its configuration and probably not meant, each in one line. */
  readonly warnings?: readonly string[];
}

/** One line of the table of libraries. */
export interface LibraryLine extends KnownLibrary {
  readonly state: LibraryState;
  /** Its own scans that have not ended. */
  readonly unfinished: number;
  /** Scans of any library that wait for this one to answer, among the newest {@link MOST_WAITING}. */
  readonly waitedFor: number;
}

/** Everything that the front page shows. */
export interface Overview {
  readonly nowMs: number;
  readonly service: ServiceState;
  readonly figures: QueueFigures;
  readonly libraries: readonly LibraryLine[];
  readonly outcomes: readonly OutcomeCount[];
  /** The newest failed events. */
  readonly failed: readonly ListedEvent[];
  /** More events wait than were looked at. */
  readonly waitingCut: boolean;
}

export interface OverviewSources {
  readonly redis: Redis;
  readonly queue: ScanJobs;
  readonly libraries: readonly KnownLibrary[];
  readonly nameOf: (library: string) => string;
  readonly now: () => number;
}

const MOST_FAILED = 10;
const MOST_WAITING = 500;

/** Reads the front page's figures in one go; rejects when Redis does not answer. */
export async function readOverview(sources: OverviewSources): Promise<Overview> {
  const { redis, queue, libraries, nameOf } = sources;
  const nowMs = sources.now();
  const ids = libraries.map(({ id }) => id);
  const [service, figures, states, outcomes, failed, waiting, backlogs] = await Promise.all([
    readService(redis),
    readQueue(redis, queue, ids, nowMs),
    readLibraryStates(redis, ids, nowMs),
    readOutcomeCounts(redis, nowMs),
    listEvents(queue, ['failed'], nameOf, { most: MOST_FAILED }),
    listEvents(queue, ['waiting'], nameOf, { most: MOST_WAITING }),
    Promise.all(ids.map((id) => redis.zcard(backlogKey(id)))),
  ]);
  const waitedFor = countBy(waiting.flatMap(waitsFor));
  return {
    nowMs,
    service,
    figures,
    outcomes,
    failed,
    waitingCut: waiting.length === MOST_WAITING,
    libraries: libraries.flatMap((library, index) => {
      const state = states[index];
      if (state === undefined) return [];
      const [unfinished, waits] = [backlogs[index] ?? 0, waitedFor.get(library.id) ?? 0];
      return [{ ...library, state, unfinished, waitedFor: waits }];
    }),
  };
}

function waitsFor(event: ListedEvent): readonly string[] {
  if (event.kind !== 'event' || event.state.waiting_for === null) return [];
  return [event.state.waiting_for.library];
}

function countBy(keys: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
}
