import { type KohaClient, KohaError, isOfOneRecord } from '@passport/koha-client';
import { librariesWithActiveScans } from '@passport/queue/scans';
import { LibraryClosed } from './koha-failure.ts';
import type { Libraries } from './libraries.ts';
import type { WorkContext } from '../work-context.ts';

/** A desk's calls go first: a sweep waits for a moment without any, but not for ever at a library that is never idle. */
const GIVE_WAY_MS = 5_000;
const LOOK_EVERY_MS = 50;
/** A sweep uses at most half of one web worker: it pauses as long as its last call took. */
const LONGEST_PAUSE_MS = 2_000;
const PAUSES_MS = [1_000, 4_000, 15_000] as const;

interface SweepCallDeps extends Pick<WorkContext, 'pause' | 'monotonicNow'> {
  readonly libraries: Pick<Libraries, 'callForSweep'>;
  /** Whether a desk needs this library now. */
  readonly isBusy: (library: string) => Promise<boolean>;
  readonly signal: AbortSignal;
  /** Before each further try at a library that did not answer; none: it is tried once. */
  readonly retryPausesMs?: readonly number[];
}

/**
 * Makes one call of a sweep. With `isOnce` it is not tried again where the library did not answer: what it rests on may be outdated by
 * then. Throws KohaError or LibraryClosed.
 */
export type SweepCall = <T>(
  library: string,
  work: (koha: KohaClient) => Promise<T>,
  how?: { readonly isOnce: boolean },
) => Promise<T>;

/**
 * Builds the way a sweep calls a Koha: one call at a time, under the library's cap like every other, after the desks', with a pause
 * after each, and again after a pause where the library did not answer. Its failures open no circuit but its own.
 */
export function buildSweepCalls(deps: SweepCallDeps): SweepCall {
  const { libraries, isBusy, pause, monotonicNow, signal, retryPausesMs = PAUSES_MS } = deps;
  const giveWay = async (library: string): Promise<void> => {
    const until = monotonicNow() + GIVE_WAY_MS;
    while (monotonicNow() < until && (await isBusy(library))) await pause(LOOK_EVERY_MS);
  };
  return async (library, work, { isOnce } = { isOnce: false }) => {
    for (let tries = 0; ; tries += 1) {
      signal.throwIfAborted();
      await giveWay(library);
      const startedAt = monotonicNow();
      try {
        return await libraries.callForSweep(library, work);
      } catch (error) {
        const pauseMs = retryPausesMs[tries];
        if (isOnce || pauseMs === undefined || !isOfTheLibrary(error)) throw error;
        await pause(pauseMs);
      } finally {
        await pause(Math.min(monotonicNow() - startedAt, LONGEST_PAUSE_MS));
      }
    }
  };
}

/** Whether the library as a whole did not answer, rather than refuse this one request. */
export function isOfTheLibrary(error: unknown): boolean {
  if (error instanceof LibraryClosed) return true;
  return error instanceof KohaError && error.retryable && error.effect === 'none' && !isOfOneRecord(error);
}

/**
 * Whether a desk needs a library now, whichever worker serves it: calls of this process are under way there, or some worker has a scan
 * of this library's desk or of a desk that this library's patrons may stand at. Costs the sweep a look into Redis, and a scan nothing.
 */
export function buildDeskActivity({
  consortium,
  redis,
  isBusy,
}: Pick<WorkContext, 'consortium' | 'redis' | 'isBusy'>) {
  return async (library: string): Promise<boolean> => {
    if (isBusy(library)) return true;
    const scanning = await librariesWithActiveScans(redis);
    if (scanning.has(library)) return true;
    const lenders = consortium.agreements.lendersOf(library);
    return [...scanning].some((lending) => lenders.has(lending));
  };
}
