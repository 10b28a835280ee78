import { type Consortium, nextWindows, partnerCards, pausesAt } from '@passport/config';
import {
  LONGEST_COUNTED_MS,
  type LibraryStatus,
  MOST_LISTED_FAILURES,
  MOST_LISTED_FINDINGS,
  MOST_LISTED_PARTNERS,
  parseStatusRequest,
} from '@passport/contract';
import { ANY_EVENT, type ListedEvent, findEvents } from '@passport/queue/events';
import { readControl, readProcesses } from '@passport/queue/processes';
import { type ScanJobs, countEvents } from '@passport/queue/scans';
import { readOutcomesOf } from '@passport/queue/statistics';
import { type Worklist, readWorklist } from '@passport/queue/sweeps';
import { type FollowUpDeps, RETRY_MS, takeFollowUp } from './follow-up.ts';
import type { Delivery } from '../deliveries/authentication.ts';
import { type RedisInTime, callRedis } from '../deliveries/call-redis.ts';
import type { Refusal } from '../deliveries/refusal.ts';

type Library = Consortium['libraries'][number];
type StatusLibrary = Pick<Library, 'id' | 'name' | 'windows' | 'copy' | 'refresh'>;

/** How the service is for a library, with the outcomes since then. */
export type ReadLibraryStatus = (library: string, sinceMs: number) => Promise<LibraryStatus | 'unavailable'>;

export interface LibraryStatusDeps extends RedisInTime {
  readonly queue: ScanJobs;
  readonly hasWorker: () => Promise<boolean>;
  readonly consortium: Pick<Consortium, 'libraries' | 'agreements'>;
  readonly version: string;
  readonly now: () => number;
  readonly monotonicNow: () => number;
}

export type StatusGiven = { readonly kind: 'status'; readonly status: LibraryStatus } | Refusal;

/**
 * Answers a library how the service is for it, by the checks of a delivery in their order. Which library that is, the signature
 * says, and the body that the signature was made for this.
 */
export function giveStatus(
  deps: FollowUpDeps,
  read: ReadLibraryStatus,
): (delivery: Delivery) => Promise<StatusGiven> {
  return (delivery) =>
    takeFollowUp<StatusGiven>(deps, delivery, null, async ({ library, json }) => {
      const parsed = parseStatusRequest(json);
      if (parsed.kind === 'invalid') return { ...parsed, kind: 'invalid_field' };
      const status = await read(library, parsed.sinceMs);
      return status === 'unavailable' ? status : { kind: 'status', status };
    });
}

/** A page that is loaded again and again costs no more than this. */
const KEPT_MS = 2_000;
/** Of a reading that failed: when its answer says to come back. */
const FAILED_KEPT_MS = RETRY_MS;
/** Of a longer backlog the others count as queued. */
const MOST_LOOKS = 2_000;
const MOST_PLANNED = 5;
/** Of hundreds of homes that did not answer, a page names no more. */
const MOST_HOMES = 10;
/** The plugin reads answers of 64 KB, and all else in one is about 20. */
const MOST_CARDS_BYTES = 32 * 1024;

/**
 * Reads a library once in two seconds (in one, after a reading that failed), and never while the reading before is not over: all others get what it has read, or `unavailable`
 * where that was not in time. How many hours of outcomes they request makes no difference, since a reading has all of them.
 */
export function buildReadLibraryStatus(deps: LibraryStatusDeps): ReadLibraryStatus {
  const { redis, monotonicNow } = deps;
  const { libraries } = deps.consortium;
  const readings = new Map<string, Reading>();
  const task = { doing: 'reading the status of a library', failed: 'status of a library not read' };
  const start = (library: StatusLibrary): Reading => {
    const work = readStatus(deps, library);
    const reading: Reading = {
      startedMs: monotonicNow(),
      isOver: false,
      keptMs: KEPT_MS,
      statusSince: callRedis(deps, task, () => work),
    };
    // The deadline ends the wait and not the work: what has been sent to Redis is still to be answered.
    const end = (keptMs: number): void => void Object.assign(reading, { isOver: true, keptMs });
    work.then(
      () => end(KEPT_MS),
      () => end(FAILED_KEPT_MS),
    );
    return reading;
  };
  return async (id, requestedMs) => {
    let reading = readings.get(id);
    if (reading === undefined || (reading.isOver && monotonicNow() >= reading.startedMs + reading.keptMs)) {
      const library = libraries.find((each) => each.id === id);
      if (library === undefined || redis.status !== 'ready') return 'unavailable';
      reading = start(library);
      readings.set(id, reading);
    }
    const statusSince = await reading.statusSince;
    return statusSince === 'unavailable' ? statusSince : statusSince(requestedMs);
  };
}

/** What was read, with the outcomes since then. */
type StatusSince = (sinceMs: number) => LibraryStatus;

interface Reading {
  readonly startedMs: number;
  readonly statusSince: Promise<StatusSince | 'unavailable'>;
  isOver: boolean;
  keptMs: number;
}

const HOUR_MS = 3_600_000;
const iso = (ms: number): string => new Date(ms).toISOString();

async function readStatus(deps: LibraryStatusDeps, library: StatusLibrary): Promise<StatusSince> {
  const { redis, queue, hasWorker, consortium, version, now } = deps;
  const { libraries } = consortium;
  const { id, name, windows } = library;
  const nameOf = (other: string): string => libraries.find((each) => each.id === other)?.name ?? other;
  const nowMs = now();
  const firstMs = nowMs - LONGEST_COUNTED_MS;
  const failed = { ...ANY_EVENT, state: 'failed', libraries: [id], most: MOST_LISTED_FAILURES } as const;
  const [alive, processes, control, events, outcomes, failures, worklist] = await Promise.all([
    hasWorker(),
    readProcesses(redis),
    readControl(redis),
    countEvents(redis, queue, [id], MOST_LOOKS),
    readOutcomesOf(redis, id, { firstMs, nowMs }),
    findEvents(redis, queue, nameOf, failed),
    readWorklist(redis, id),
  ]);
  const workers = processes.filter(({ kind, isLive }) => kind === 'worker' && isLive);
  const ordered = control.pauses.filter((pause) => pause.library === id);
  const read = {
    library: { id, name },
    checked_at: iso(nowMs),
    version,
    workers: { alive, versions: [...new Set(workers.map((each) => each.version))].toSorted() },
    pauses: pausesAt(windows, ordered, nowMs).map(({ side, until_ms: untilMs, reason }) => ({
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
    failures: failures.events.flatMap(failureOf),
    findings: findingsOf(worklist),
    needs: { ...needsOf(library), cards: cardsFor(id, consortium) },
  };
  return (requestedMs) => {
    const hourMs = Math.floor(Math.min(nowMs, Math.max(requestedMs, firstMs)) / HOUR_MS) * HOUR_MS;
    return { ...read, outcomes: { since: iso(hourMs), counts: outcomes.since(hourMs) } };
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

const findingsOf = ({ items }: Worklist): LibraryStatus['findings'] => ({
  open: items.length,
  new: items.filter(({ isNew }) => isNew).length,
  listed: items.slice(0, MOST_LISTED_FINDINGS).map(({ patronId, finding, sinceMs, isNew }) => ({
    patron_id: patronId,
    finding,
    since: iso(sinceMs),
    new: isNew,
  })),
});

function needsOf({ copy, refresh }: StatusLibrary): Omit<LibraryStatus['needs'], 'cards'> {
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

function cardsFor(
  lending: string,
  consortium: LibraryStatusDeps['consortium'],
): LibraryStatus['needs']['cards'] {
  if (consortium.agreements.homesAt(lending).size > MOST_LISTED_PARTNERS) return null;
  const cards = partnerCards(consortium, lending);
  return Buffer.byteLength(JSON.stringify(cards)) > MOST_CARDS_BYTES ? null : cards;
}

function categoriesIn(choice: NonNullable<Library['copy']['category']>): string[] {
  if (choice.kind === 'one') return [choice.category];
  const { map, otherwise } = choice;
  return [...new Set([...Object.values(map), ...(otherwise === null ? [] : [otherwise])])];
}
