import { type ListedEvent, ANY_EVENT, findEvents } from '@passport/queue/events';
import { backlogKey } from '@passport/queue/keys';
import { type LibraryState, readLibraryStates } from '@passport/queue/processes';
import { type QueueFigures, countEvents, readQueue } from '@passport/queue/scans';
import { type OutcomeCount, readOutcomeCounts } from '@passport/queue/statistics';
import type { KnownLibrary } from '../shell/known-libraries.ts';
import { librariesSeen, type PageDeps } from '../shell/page-deps.ts';
import { type ShownPause, pausesOf, readPauses } from './read-pauses.ts';
import type { ListedInvitation } from '@passport/queue/joining';
import { type EndpointState, readEndpoints } from './endpoint-section.ts';
import { readJoinRequests } from './join-section.ts';
import { readService, type ServiceState } from './service-state.ts';
import { type Scope, sees } from '../login/login.ts';

/** One line of the table of libraries. */
export interface LibraryLine extends KnownLibrary {
  readonly state: LibraryState;
  /** What it is paused as, and until when. */
  readonly pauses: readonly ShownPause[];
  /** Its own scans that have not ended. */
  readonly unfinished: number;
  /** Scans of any library that wait for this one to answer, among the newest {@link MOST_WAITING}. */
  readonly waitedFor: number;
}

/** Everything that the front page shows. */
export interface Overview {
  readonly nowMs: number;
  readonly service: ServiceState;
  /** Those that somebody may see. */
  readonly endpoints: readonly EndpointState[];
  /** Of libraries that are no members yet. */
  readonly joinRequests: readonly ListedInvitation[];
  readonly figures: QueueFigures;
  readonly libraries: readonly LibraryLine[];
  readonly outcomes: readonly OutcomeCount[];
  /** The newest failed events. */
  readonly failed: readonly ListedEvent[];
  /** More events wait than were looked at. */
  readonly waitingCut: boolean;
}

const MOST_FAILED = 10;
const MOST_WAITING = 500;

/**
 * Reads the front page's figures in one go, of the libraries that somebody may see; rejects when Redis does not answer. Who may see
 * some of them has figures of their scans alone, also of those that wait for one of them.
 */
export async function readOverview(sources: PageDeps, scope: Scope): Promise<Overview> {
  const { redis, queue, nameOf } = sources;
  const nowMs = sources.now();
  const libraries = librariesSeen(sources, scope);
  const ids = libraries.map(({ id }) => id);
  const newest = (state: 'failed' | 'waiting', most: number) =>
    findEvents(redis, queue, nameOf, { ...ANY_EVENT, state, most, libraries: scope === 'all' ? null : ids });
  const [
    service,
    endpoints,
    figures,
    states,
    outcomes,
    failed,
    waiting,
    backlogs,
    jobs,
    pauses,
    joinRequests,
  ] = await Promise.all([
    readService(redis, scope, { ids, asker: sources.asker, nowMs }),
    readEndpoints(redis, sources.endpoints, scope),
    readQueue(redis, queue, ids, nowMs),
    readLibraryStates(redis, ids, nowMs),
    readOutcomeCounts(redis, nowMs),
    newest('failed', MOST_FAILED),
    newest('waiting', MOST_WAITING),
    Promise.all(ids.map((id) => redis.zcard(backlogKey(id)))),
    scope === 'all' ? null : countEvents(redis, queue, ids),
    readPauses(redis, nowMs),
    readJoinRequests(redis, scope),
  ]);
  const waitedFor = countBy(waiting.events.flatMap(waitsFor));
  return {
    nowMs,
    service,
    endpoints,
    joinRequests,
    figures: { ...figures, jobs: jobs ?? figures.jobs },
    outcomes: outcomes.filter(({ library }) => scope === 'all' || ids.includes(library)),
    failed: failed.events,
    waitingCut: waiting.next !== null,
    libraries: libraries.flatMap((library, index) => {
      const state = states[index];
      if (state === undefined) return [];
      const [unfinished, waits] = [backlogs[index] ?? 0, waitedFor.get(library.id) ?? 0];
      const paused = pausesOf(library, pauses, nowMs);
      return [{ ...asSeen(library, scope), state, pauses: paused, unfinished, waitedFor: waits }];
    }),
  };
}

/** A library without what is said of others that somebody may not see. */
export function asSeen({ warnings = [], ...library }: KnownLibrary, scope: Scope): KnownLibrary {
  return {
    ...library,
    warnings: warnings.filter(({ libraries }) => libraries.every((id) => sees({ libraries: scope }, id))),
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
