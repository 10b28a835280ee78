/** Those of one process who wait to create a copy at one lending library. */
export interface CreateLine {
  /** Whether whoever looks a card up now would only find the line full of older scans. */
  readonly isFull: boolean;
  /**
   * Waits until one may create: true, and `leave` must follow. False when others need the slot of the job and the line is
   * full of older ones, or it takes too long. Throws the signal's reason.
   */
  enter(sinceMs: number, signal: AbortSignal): Promise<boolean>;
  leave(): void;
  /** Books the next free moment behind the line and returns how many milliseconds it is away. */
  bookMs(): number;
}

/** A slot that others need is not kept longer than this for the creates of older scans. */
const PATIENCE_MS = 2_500;
/** Weight of the newest create in the average. */
const NEWEST = 0.2;
/** Before the first one. */
const FIRST_GUESS_MS = 100;
const SOONEST_MS = 50;
const LATEST_MS = 60_000;

interface Waiter {
  readonly sinceMs: number;
  readonly end: (isFirst: boolean) => void;
}

/**
 * Builds a line over a monotonic clock; the oldest scan goes first. While `hasFreeSlots` all may wait as long as they like: what
 * they have looked up is not looked up again. Then at most `mostWaiting` may.
 */
export function buildCreateLine(
  mostWaiting: number,
  hasFreeSlots: () => boolean,
  monotonicNow: () => number,
): CreateLine {
  const waiting: Waiter[] = [];
  const creates = buildCreateTimes(monotonicNow);

  /** Puts a waiter in by age; whoever is then too much for the line has to go. */
  const put = (waiter: Waiter): void => {
    const behind = waiting.findIndex(({ sinceMs }) => sinceMs > waiter.sinceMs);
    waiting.splice(behind === -1 ? waiting.length : behind, 0, waiter);
    if (waiting.length > mostWaiting && !hasFreeSlots()) waiting.pop()?.end(false);
  };
  const wait = (sinceMs: number, signal: AbortSignal): Promise<boolean> =>
    new Promise((resolve, reject) => {
      const waiter: Waiter = {
        sinceMs,
        end(isFirst) {
          stop();
          resolve(isFirst);
        },
      };
      const drop = (): void => void waiting.splice(waiting.indexOf(waiter), 1);
      const abort = (): void => {
        stop();
        drop();
        reject(signal.reason as Error);
      };
      const timer = setInterval(() => {
        if (hasFreeSlots()) return;
        drop();
        waiter.end(false);
      }, PATIENCE_MS);
      const stop = (): void => {
        clearInterval(timer);
        signal.removeEventListener('abort', abort);
      };
      signal.addEventListener('abort', abort, { once: true });
      put(waiter);
    });

  return {
    get isFull() {
      return waiting.length >= mostWaiting;
    },
    async enter(sinceMs, signal) {
      signal.throwIfAborted();
      if (creates.isUnderWay) return wait(sinceMs, signal);
      creates.begin();
      return true;
    },
    leave() {
      creates.end();
      const next = waiting.shift();
      if (next === undefined) return;
      creates.begin();
      next.end(true);
    },
    bookMs: () => creates.bookMs(waiting.length),
  };
}

/** How long one create takes, and when the next moments without one are. */
function buildCreateTimes(monotonicNow: () => number) {
  let begunAt: number | null = null;
  let averageMs = FIRST_GUESS_MS;
  let nextFree = 0;
  return {
    get isUnderWay() {
      return begunAt !== null;
    },
    begin() {
      begunAt = monotonicNow();
    },
    end() {
      if (begunAt !== null) averageMs += NEWEST * (monotonicNow() - begunAt - averageMs);
      begunAt = null;
    },
    /** Books the next free moment behind so many others, and returns how many milliseconds it is away. */
    bookMs(others: number): number {
      const now = monotonicNow();
      const behindThem = now + SOONEST_MS + others * averageMs;
      nextFree = Math.min(Math.max(nextFree, behindThem) + averageMs, now + LATEST_MS);
      return nextFree - now;
    },
  };
}
