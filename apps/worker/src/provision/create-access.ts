import type { CreateClaim, CreatePlace, CreatePlaces, PlaceOwner } from '@passport/queue/locks';
import { type CreateLine, buildCreateLine } from './create-line.ts';
import type { Claimed, Scan } from './scan.ts';
import type { WorkContext } from '../work-context.ts';

/** A worker that dies in the place keeps the others out for no longer than this. */
const LIFE_MS = 3_000;
const KEEP_EACH_MS = 1_000;
/** Only the first of this process's line tries, and for so long where others need its slot. */
const PATIENCE_MS = 5_000;
const RETRY_EVERY_MS = 20;

/** Others create at the library before this one: come back in so many milliseconds. */
export interface CreatePlaceBusy {
  readonly kind: 'busy';
  readonly freeInMs: number;
}

/** What came of work that needs the place where a library's copies are created. */
type Placed<T> =
  | { readonly kind: 'done'; readonly value: T }
  /** Nothing was begun. */
  | CreatePlaceBusy
  /** Nothing was begun: another event has the patron lock. */
  | { readonly kind: 'patron_busy' }
  /** Nothing was begun: a copy is on record. */
  | { readonly kind: 'on_record' };

/** Takes the place with what else the first create of a run needs, all or nothing. */
export type TakeWithPlace = (place: Omit<CreateClaim, 'patronLock' | 'unlessCopyOf'>) => Promise<Claimed>;

type Creator = Pick<Scan, 'lending' | 'eventId' | 'startedMs'>;

export type CreateAccess = ReturnType<typeof buildCreateAccess>;

interface CreateAccessDeps extends Pick<WorkContext, 'newId' | 'monotonicNow' | 'pause'> {
  readonly places: CreatePlaces;
  /** How many jobs of one lending library may stand in this process's line. */
  readonly mostWaiting: number;
  /** Whether no other job needs the slots of those who wait. */
  readonly hasFreeSlots: () => boolean;
}

/**
 * One create at a time at each lending Koha, over all workers: two at once deadlock in its database, and good records are
 * answered 500 (docs/decisions/0017-one-create-at-a-time.md). The jobs of one process stand in a line of their own, of which the first tries to
 * get the place. Where other jobs need their slots, one that finds the line full, or waits too long, learns when to retry.
 */
export function buildCreateAccess(deps: CreateAccessDeps) {
  const lines = new Map<string, CreateLine>();
  const lineOf = (lending: string): CreateLine => {
    const line =
      lines.get(lending) ?? buildCreateLine(deps.mostWaiting, deps.hasFreeSlots, deps.monotonicNow);
    lines.set(lending, line);
    return line;
  };
  return {
    /**
     * Null while a scan may go on to the place. Else so many older ones wait for it that what this one looks up would be
     * looked up again: it comes back after so many milliseconds.
     */
    freeInMs(lending: string): number | null {
      const line = lineOf(lending);
      return line.isFull ? line.bookMs() : null;
    },
    /** Does `work` as the only one who creates there. With `take` the place is taken by that. */
    async within<T>(
      scan: Creator,
      signal: AbortSignal,
      work: () => Promise<T>,
      take?: TakeWithPlace,
    ): Promise<Placed<T>> {
      const line = lineOf(scan.lending);
      const isFirst = await line.enter(scan.startedMs, signal);
      if (!isFirst) return { kind: 'busy', freeInMs: line.bookMs() };
      try {
        const place = await waitForPlace(scan, signal, take, deps);
        if (place === 'place_busy') return { kind: 'busy', freeInMs: line.bookMs() };
        if (place === 'patron_busy' || place === 'on_record') return { kind: place };
        return { kind: 'done', value: await whileKept(place, work) };
      } finally {
        line.leave();
      }
    },
  };
}

async function waitForPlace(
  { lending, eventId, startedMs }: Creator,
  signal: AbortSignal,
  take: TakeWithPlace | undefined,
  { places, hasFreeSlots, newId, monotonicNow, pause }: CreateAccessDeps,
): Promise<CreatePlace | Exclude<Claimed, 'taken'>> {
  const owner: PlaceOwner = { event: `${lending}.${eventId}`, run: newId(), sinceMs: startedMs };
  const tryOnce = async (): Promise<CreatePlace | Exclude<Claimed, 'taken'>> => {
    if (take === undefined) return (await places.take(lending, owner, LIFE_MS)) ?? 'place_busy';
    const claimed = await take({ library: lending, owner, placeLifeMs: LIFE_MS });
    return claimed === 'taken' ? places.taken(lending, owner, LIFE_MS) : claimed;
  };
  const until = monotonicNow() + PATIENCE_MS;
  try {
    for (;;) {
      signal.throwIfAborted();
      const place = await tryOnce();
      if (place !== 'place_busy' || (monotonicNow() >= until && !hasFreeSlots())) return place;
      await pause(RETRY_EVERY_MS);
    }
  } catch (error) {
    void places.leave(lending, owner).catch(() => undefined); // not waited for: it leaves the line by itself
    throw error;
  }
}

/** A create that takes long keeps its place. One that loses it all the same risks a deadlock, which is tried again. */
async function whileKept<T>(place: CreatePlace, work: () => Promise<T>): Promise<T> {
  const timer = setInterval(() => void place.keep().catch(() => undefined), KEEP_EACH_MS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
    void place.release().catch(() => undefined); // not waited for: who is next notices, and it runs out by itself
  }
}
