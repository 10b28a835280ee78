/** Those of one process who wait to create a copy at one lending library. */
export interface CreateLine {
  /**
   * Waits until it is one's turn: true, and `leave` must follow; false when the line is full of older ones, or it takes too
   * long. Throws the signal's reason.
   */
  enter(sinceMs: number, signal: AbortSignal): Promise<boolean>;
  leave(): void;
  /** Books the next free moment behind the line and returns how many milliseconds it is away. */
  bookMs(): number;
}

/** A job's place in the worker is not kept longer than this for others' creates. */
const PATIENCE_MS = 2_500;
/** Weight of the newest turn in the average. */
const NEWEST = 0.2;
/** Before the first turn. */
const FIRST_GUESS_MS = 100;
const SOONEST_MS = 50;
const LATEST_MS = 60_000;

interface Waiter {
  readonly sinceMs: number;
  readonly end: (isFirst: boolean) => void;
}

/** Builds a line in which at most `mostWaiting` wait, over a monotonic clock. The oldest scan goes first. */
export function buildCreateLine(mostWaiting: number, monotonicNow: () => number): CreateLine {
  const waiting: Waiter[] = [];
  let turnSince: number | null = null;
  let turnMs = FIRST_GUESS_MS;
  let nextFree = 0;

  const begin = (): void => {
    turnSince = monotonicNow();
  };
  /** Puts a waiter in by age; whoever is then too much for the line has to go. */
  const put = (waiter: Waiter): void => {
    const behind = waiting.findIndex(({ sinceMs }) => sinceMs > waiter.sinceMs);
    waiting.splice(behind === -1 ? waiting.length : behind, 0, waiter);
    if (waiting.length > mostWaiting) waiting.pop()?.end(false);
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
      const timer = setTimeout(() => {
        drop();
        waiter.end(false);
      }, PATIENCE_MS);
      const stop = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', abort);
      };
      signal.addEventListener('abort', abort, { once: true });
      put(waiter);
    });

  return {
    async enter(sinceMs, signal) {
      signal.throwIfAborted();
      if (turnSince !== null) return wait(sinceMs, signal);
      begin();
      return true;
    },
    leave() {
      const now = monotonicNow();
      if (turnSince !== null) turnMs += NEWEST * (now - turnSince - turnMs);
      turnSince = null;
      const next = waiting.shift();
      if (next === undefined) return;
      begin();
      next.end(true);
    },
    bookMs() {
      const now = monotonicNow();
      const behindTheLine = now + SOONEST_MS + waiting.length * turnMs;
      nextFree = Math.min(Math.max(nextFree, behindTheLine) + turnMs, now + LATEST_MS);
      return nextFree - now;
    },
  };
}
