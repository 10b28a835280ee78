import { type Logger, translateRedisError } from '@passport/runtime';

/**
 * For how long (milliseconds) a worker waits in Redis for a job before it fetches anew (BullMQ's `drainDelay`); from when on one whose
 * fetches do not come back is `late` (not ready), `dead` (not live) and ended; and how often that is looked at.
 */
export interface FetchTimings {
  readonly blockMs: number;
  readonly lateMs: number;
  readonly deadMs: number;
  readonly endMs: number;
  readonly checkMs: number;
}

/** What is known of one worker's fetches. Times in milliseconds on one clock. */
export interface FetchState {
  /** Since when a job has been wanted, and Redis has carried out no fetch; null: the last one was. */
  readonly wantedSinceMs: number | null;
  /** Since when Redis has not answered a fetch at all, be it with an error; null: it did. */
  readonly silentSinceMs: number | null;
  /** When the last fetch or job was over, or the worker began. */
  readonly idleSinceMs: number;
  /** Jobs under way. */
  readonly active: number;
  readonly isPaused: boolean;
}

export type Fetching = 'well' | 'late' | 'dead' | 'over';

/**
 * What those times mean. The failure behind it: connections that are accepted and lead nowhere. The process lives, other
 * connections of it answer, and no job is ever taken. An idle worker fetches as well (it blocks in Redis for seconds, again and again),
 * and one without a free slot does not: its jobs lose their locks by themselves. A Redis that answers with an error, such as a full
 * one, makes a worker late but not dead: a restart would not help. Pure.
 */
export function decideFetching(state: FetchState, nowMs: number, timings: FetchTimings): Fetching {
  const { wantedSinceMs, silentSinceMs, idleSinceMs, active, isPaused } = state;
  const since = (ms: number | null): number => {
    if (ms !== null) return nowMs - ms;
    return active > 0 || isPaused ? 0 : nowMs - idleSinceMs;
  };
  const silentMs = since(silentSinceMs);
  if (silentMs >= timings.endMs) return 'over';
  if (silentMs >= timings.deadMs) return 'dead';
  return Math.max(silentMs, since(wantedSinceMs)) >= timings.lateMs ? 'late' : 'well';
}

/** What one worker reports. */
export interface WatchedFetches {
  /** Does what brings a job, or may. */
  fetch<T>(work: () => Promise<T>): Promise<T>;
  /** Does a job. */
  run<T>(work: () => Promise<T>): Promise<T>;
  pause(isPaused: boolean): void;
  /** It fetches no more, on purpose. */
  close(): void;
}

/** Knows whether the workers of this process get jobs. */
export interface FetchWatch {
  readonly blockMs: number;
  /** A worker of that queue begins. */
  watch(queue: string): WatchedFetches;
  /** Resolves when each worker that is there now has fetched once, or was closed. */
  begun(): Promise<void>;
  /** Whether {@link begun} has resolved, and no worker is late. */
  isFetching(): boolean;
  /** Whether no worker is dead. */
  isLive(): boolean;
  /** By queue: for how many seconds Redis has carried out no fetch that was wanted. */
  waits(): readonly (readonly [queue: string, seconds: number])[];
  close(): void;
}

interface Watched {
  readonly queue: string;
  readonly state: () => FetchState;
  readonly hasFetched: () => boolean;
  fetching: Fetching;
  lateSinceMs: number;
}

/**
 * Starts watching; `onOver` is called once, when a worker was dead for `endMs`: reconnecting has not helped, and a process that
 * begins anew may. Each worker that becomes late is logged, and its end. Times in which this process did not run (suspended, or stopped
 * in a debugger) do not count: its fetches get their time when it goes on.
 */
export function startFetchWatch(deps: {
  readonly timings: FetchTimings;
  readonly monotonicNow: () => number;
  readonly onOver: () => void;
  readonly log: Logger;
}): FetchWatch {
  const { timings, onOver, log } = deps;
  const clock = buildRunningClock(deps.monotonicNow, 2 * timings.checkMs);
  const workers = new Set<Watched>();
  let waiting: (() => void)[] = [];
  let hasBegun = false;
  let isOver = false;

  const resolveIfBegun = (): void => {
    if ([...workers].every((each) => each.hasFetched())) for (const resolve of waiting.splice(0)) resolve();
  };
  const look = (): void => {
    clock.tick();
    for (const worker of workers) {
      const before = worker.fetching;
      worker.fetching = decideFetching(worker.state(), clock.now(), timings);
      if (before === 'well' && worker.fetching !== 'well') {
        worker.lateSinceMs = clock.now();
        log.error({ queue: worker.queue, for_ms: timings.lateMs }, 'no jobs can be fetched');
      }
      if (before !== 'well' && worker.fetching === 'well') {
        const outageMs = Math.round(clock.now() - worker.lateSinceMs + timings.lateMs);
        log.info({ queue: worker.queue, outage_ms: outageMs }, 'jobs are fetched again');
      }
      if (worker.fetching !== 'over' || isOver) continue;
      isOver = true;
      const line = { queue: worker.queue, for_ms: timings.endMs };
      log.fatal(line, 'no jobs could be fetched for too long: the process ends, to be started again');
      onOver();
    }
  };
  const timer = setInterval(look, timings.checkMs);
  timer.unref();

  return {
    blockMs: timings.blockMs,
    watch(queue) {
      const { reports, state, hasFetched } = buildReports(clock.now, resolveIfBegun);
      const worker: Watched = { queue, state, hasFetched, fetching: 'well', lateSinceMs: 0 };
      workers.add(worker);
      const close = (): void => {
        workers.delete(worker);
        resolveIfBegun();
      };
      return { ...reports, close };
    },
    async begun() {
      await new Promise<void>((resolve) => {
        waiting = [...waiting, resolve];
        resolveIfBegun();
      });
      hasBegun = true;
    },
    isFetching: () => hasBegun && [...workers].every(({ fetching }) => fetching === 'well'),
    isLive: () => [...workers].every(({ fetching }) => fetching === 'well' || fetching === 'late'),
    waits: () =>
      [...workers].map(({ queue, state }) => {
        const { wantedSinceMs } = state();
        return [queue, wantedSinceMs === null ? 0 : (clock.now() - wantedSinceMs) / 1_000] as const;
      }),
    close: () => clearInterval(timer),
  };
}

/** A clock that `tick` keeps going: of a time without a tick, at most `mostMs` have passed on it. */
function buildRunningClock(
  monotonicNow: () => number,
  mostMs: number,
): { now: () => number; tick: () => void } {
  let atTickMs = 0;
  let tickedAt = monotonicNow();
  const now = (): number => atTickMs + Math.min(monotonicNow() - tickedAt, mostMs);
  return {
    now,
    tick() {
      [atTickMs, tickedAt] = [now(), monotonicNow()];
    },
  };
}

/** Counts what one worker does. */
function buildReports(
  now: () => number,
  onFetched: () => void,
): {
  readonly reports: Omit<WatchedFetches, 'close'>;
  readonly state: () => FetchState;
  readonly hasFetched: () => boolean;
} {
  const underWay = new Set<{ readonly sinceMs: number }>();
  let wantedSinceMs: number | null = null;
  let silentSinceMs: number | null = null;
  let idleSinceMs = now();
  let active = 0;
  let isPaused = false;
  let hasFetched = false;
  const oldest = (): number | null => [...underWay][0]?.sinceMs ?? null;

  return {
    hasFetched: () => hasFetched,
    state: () => ({ wantedSinceMs, silentSinceMs, idleSinceMs, active, isPaused }),
    reports: {
      async fetch(work) {
        const call = { sinceMs: now() };
        underWay.add(call);
        wantedSinceMs ??= call.sinceMs;
        silentSinceMs ??= call.sinceMs;
        const over = (): void => {
          underWay.delete(call);
          idleSinceMs = now();
        };
        try {
          const result = await work();
          over();
          wantedSinceMs = silentSinceMs = oldest();
          hasFetched = true;
          onFetched();
          return result;
        } catch (error) {
          over();
          if (translateRedisError(error).kind !== 'unavailable') silentSinceMs = oldest();
          throw error;
        }
      },
      async run(work) {
        active += 1;
        try {
          return await work();
        } finally {
          active -= 1;
          idleSinceMs = now();
        }
      },
      pause(next) {
        isPaused = next;
        idleSinceMs = now();
      },
    },
  };
}
