import { type Consortium, nextWindows, pausesAt } from '@passport/config';
import { LONGEST_COUNTED_MS, type LibraryStatus, MOST_LISTED_FAILURES } from '@passport/contract';
import {
  ANY_EVENT,
  type ListedEvent,
  type ScanJobs,
  countEvents,
  findEvents,
  readControl,
  readOutcomesOf,
  readProcesses,
} from '@passport/queue';
import { type Logger, type Redis, translateRedisError, within } from '@passport/runtime';

type Library = Consortium['libraries'][number];
type StatusLibrary = Pick<Library, 'id' | 'name' | 'windows' | 'copy' | 'refresh'>;

/** How the service is for a library, with the outcomes since then. */
export type ReadLibraryStatus = (library: string, sinceMs: number) => Promise<LibraryStatus | 'unavailable'>;

export interface LibraryStatusDeps {
  readonly redis: Redis;
  readonly queue: ScanJobs;
  readonly hasWorker: () => Promise<boolean>;
  readonly libraries: readonly StatusLibrary[];
  readonly version: string;
  readonly now: () => number;
  readonly deadlineMs: number;
  readonly log: Logger;
}

/** A page that is loaded again and again costs no more than this. */
const KEPT_MS = 2_000;
/** Of a longer backlog the others count as queued. */
const MOST_LOOKS = 2_000;
const MOST_PLANNED = 5;
/** Of hundreds of homes that did not answer, a page names no more. */
const MOST_HOMES = 10;

/**
 * Reads the status of one library at a time: requests that come meanwhile get the same answer, and so do those of the next two
 * seconds. What Redis does not answer in time is `unavailable`.
 */
export function buildReadLibraryStatus(deps: LibraryStatusDeps): ReadLibraryStatus {
  const { redis, libraries, now, deadlineMs, log } = deps;
  const readings = new Map<string, Reading>();
  const read = async (library: string, sinceMs: number): Promise<LibraryStatus | 'unavailable'> => {
    const found = libraries.find(({ id }) => id === library);
    if (found === undefined || redis.status !== 'ready') return 'unavailable';
    try {
      return await within(deadlineMs, statusOf(deps, found, sinceMs), 'reading the status of a library');
    } catch (error) {
      const failure = translateRedisError(error);
      if (failure.kind === 'bug') log.error({ error }, 'status of a library not read');
      else log.warn({ redis: failure.kind, problem: failure.message }, 'status of a library not read');
      return 'unavailable';
    }
  };
  return async (library, requestedMs) => {
    const sinceMs = Math.min(now(), Math.max(requestedMs, now() - LONGEST_COUNTED_MS));
    const last = readings.get(library);
    if (last !== undefined && last.untilMs > now() && isSameHour(last.sinceMs, sinceMs)) return last.status;
    const reading: Reading = { untilMs: Infinity, sinceMs, status: read(library, sinceMs) };
    readings.set(library, reading);
    const status = await reading.status;
    reading.untilMs = status === 'unavailable' ? 0 : now() + KEPT_MS;
    return status;
  };
}

interface Reading {
  readonly sinceMs: number;
  readonly status: Promise<LibraryStatus | 'unavailable'>;
  /** While it is under way, there is no end. */
  untilMs: number;
}

const HOUR_MS = 3_600_000;
const hourOf = (ms: number): number => Math.floor(ms / HOUR_MS);
const isSameHour = (one: number, other: number): boolean => hourOf(one) === hourOf(other);
const iso = (ms: number): string => new Date(ms).toISOString();

async function statusOf(
  deps: LibraryStatusDeps,
  library: StatusLibrary,
  sinceMs: number,
): Promise<LibraryStatus> {
  const { redis, queue, hasWorker, libraries, version, now } = deps;
  const { id, name, windows } = library;
  const nameOf = (other: string): string => libraries.find((each) => each.id === other)?.name ?? other;
  const nowMs = now();
  const failed = { ...ANY_EVENT, state: 'failed', libraries: [id], most: MOST_LISTED_FAILURES } as const;
  const [alive, processes, control, events, counts, failures] = await Promise.all([
    hasWorker(),
    readProcesses(redis),
    readControl(redis),
    countEvents(redis, [id], MOST_LOOKS),
    readOutcomesOf(redis, id, { sinceMs, nowMs }),
    findEvents(redis, queue, nameOf, failed),
  ]);
  const workers = processes.filter(({ kind, isLive }) => kind === 'worker' && isLive);
  const said = control.pauses.filter((pause) => pause.library === id);
  return {
    library: { id, name },
    checked_at: iso(nowMs),
    version,
    workers: { alive, versions: [...new Set(workers.map((each) => each.version))].toSorted() },
    pauses: pausesAt(windows, said, nowMs).map(({ side, until_ms: untilMs, reason }) => ({
      side,
      until: iso(untilMs),
      reason,
    })),
    planned: nextWindows(windows, nowMs)
      .slice(0, MOST_PLANNED)
      .map(({ side, from_ms: fromMs, until_ms: untilMs, reason }) => ({
        side,
        from: iso(fromMs),
        until: iso(untilMs),
        reason,
      })),
    events: {
      queued: events.queued,
      working: events.working,
      waiting: events.waiting,
      failed: events.failed,
    },
    outcomes: { since: iso(hourOf(sinceMs) * HOUR_MS), counts: [...counts] },
    failures: failures.events.flatMap(failureOf),
    needs: needsOf(library),
  };
}

/** Named one by one: whatever else an event may hold one day stays here. */
function failureOf(event: ListedEvent): LibraryStatus['failures'] {
  if (event.kind !== 'event' || event.state.outcome === null) return [];
  const { event_id, outcome, reasons, problem, scanned_at, updated_at, library } = event.state;
  const homes = event.state.homes.slice(0, MOST_HOMES);
  const libraries = event.state.libraries.filter(({ id }) => id === library || id === problem?.library);
  return [{ event_id, outcome, reasons, homes, libraries, problem, scanned_at, updated_at }];
}

function needsOf({ copy, refresh }: StatusLibrary): LibraryStatus['needs'] {
  const { category, branch } = copy;
  return {
    mode: copy.mode,
    categories: category === null ? [] : categoriesIn(category),
    branch: branch.kind === 'fixed' ? branch.branch : null,
    passport_attribute: copy.passportAttribute,
    home_key_attribute: copy.homeKeyAttribute,
    seen_copies: refresh?.atScan === true,
  };
}

function categoriesIn(choice: NonNullable<Library['copy']['category']>): string[] {
  if (choice.kind === 'one') return [choice.category];
  const { map, otherwise } = choice;
  return [...new Set([...Object.values(map), ...(otherwise === null ? [] : [otherwise])])];
}
