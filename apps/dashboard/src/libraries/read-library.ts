import {
  type LibraryState,
  type ListedEvent,
  type OutcomeCount,
  type QueueFigures,
  countEvents,
  ANY_EVENT,
  findEvents,
  readLibraryStates,
  readOutcomeCounts,
} from '@passport/queue';
import { type KnownLibrary, type OverviewSources, asSeen } from '../overview/read-overview.ts';
import { type ShownPause, pausesOf, readPauses } from './read-pauses.ts';
import { type EndpointState, readEndpoints } from '../overview/read-endpoints.ts';
import { type Scope, sees } from '../login/scope.ts';

/** Everything that the page of one library shows. */
export interface LibraryView {
  readonly nowMs: number;
  readonly library: KnownLibrary;
  readonly state: LibraryState;
  readonly pauses: readonly ShownPause[];
  /** Its own scans, as lending library. */
  readonly jobs: QueueFigures['jobs'];
  readonly outcomes: readonly OutcomeCount[];
  readonly failed: readonly ListedEvent[];
  /** Scans that wait for it to answer, of the lending libraries that somebody may see; the newest. */
  readonly waitingForIt: readonly ListedEvent[];
  /** Where operators are notified of it, as far as somebody may see. */
  readonly endpoints: readonly EndpointState[];
}

const MOST_FAILED = 10;
const MOST_WAITING = 10;
const MOST_LOOKED = 500;

/** Reads one library's page; null when the configuration has no such library. Rejects when Redis does not answer. */
export async function readLibraryView(
  { redis, queue, libraries, endpoints: known, nameOf, now }: OverviewSources,
  id: string,
  scope: Scope,
): Promise<LibraryView | null> {
  const library = libraries.find((each) => each.id === id);
  if (library === undefined) return null;
  const nowMs = now();
  const ofIt = known.filter((endpoint) => sees(endpoint, id));
  const [[state], jobs, outcomes, failed, waiting, pauses, endpoints] = await Promise.all([
    readLibraryStates(redis, [id], nowMs),
    countEvents(redis, [id]),
    readOutcomeCounts(redis, nowMs),
    findEvents(redis, queue, nameOf, { ...ANY_EVENT, state: 'failed', libraries: [id], most: MOST_FAILED }),
    findEvents(redis, queue, nameOf, {
      ...ANY_EVENT,
      state: 'waiting',
      libraries: scope === 'all' ? null : scope,
      most: MOST_LOOKED,
    }),
    readPauses(redis, nowMs),
    readEndpoints(redis, ofIt, scope),
  ]);
  if (state === undefined) return null;
  return {
    nowMs,
    library: asSeen(library, scope),
    state,
    pauses: pausesOf(library, pauses, nowMs),
    jobs,
    outcomes: outcomes.filter((row) => row.library === id),
    failed: failed.events,
    endpoints,
    waitingForIt: waiting.events.filter((event) => waitsFor(event, id)).slice(0, MOST_WAITING),
  };
}

function waitsFor(event: ListedEvent, id: string): boolean {
  return event.kind === 'event' && event.state.waiting_for?.library === id;
}
