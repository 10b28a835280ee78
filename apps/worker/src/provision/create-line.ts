export type CreateLine = ReturnType<typeof buildCreateLine>;

/** A slot that others need is not kept longer than this for the creates of older scans. */
const PATIENCE_MS = 2_500;
/** Of so many creates the one in the middle says how long they take: one that was slow says nothing of the others. */
const RECENT = 5;
/** Nobody is called back sooner for each create that goes before. */
const SHORTEST_MS = 10;
/**
 * Where a create takes no longer than this, everybody may wait: a slot is free again as soon, and the queue gives it to the
 * library with the fewest events first. Sending a burst away and calling it back would cost more than its creates.
 */
const QUICK_MS = 250;
/** One that takes longer may not come back at all. */
const HANGING_MS = 1_000;
const SOONEST_MS = 50;
const LATEST_MS = 60_000;

interface Waiter {
  readonly sinceMs: number;
  readonly end: (isFirst: boolean) => void;
}

/**
 * Builds the line of those of one process who wait to create a copy at one lending library, over a monotonic clock; the oldest scan
 * goes first. While `hasFreeSlots`, or creates are quick, all may wait as
 * long as they like: what they have looked up is not looked up again. Else at most `mostWaiting` may.
 */
export function buildCreateLine(
  mostWaiting: number,
  hasFreeSlots: () => boolean,
  monotonicNow: () => number,
) {
  const waiting: Waiter[] = [];
  const creates = buildCreateTimes(monotonicNow);
  const mayWait = (): boolean => hasFreeSlots() || creates.areQuick;

  /** Puts a waiter in by age; whoever is then too much for the line has to go. */
  const put = (waiter: Waiter): void => {
    const behind = waiting.findIndex(({ sinceMs }) => sinceMs > waiter.sinceMs);
    waiting.splice(behind === -1 ? waiting.length : behind, 0, waiter);
    if (waiting.length > mostWaiting && !mayWait()) waiting.pop()?.end(false);
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
        if (mayWait()) return;
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
    /** Whether whoever looks a card up now would have to leave the line again. */
    get isFull() {
      return waiting.length >= mostWaiting && !mayWait();
    },
    /**
     * Waits until one may create: true, and `leave` must follow. False when others need the slot of the job and the line is
     * full of older ones, or it takes too long. Throws the signal's reason.
     */
    async enter(sinceMs: number, signal: AbortSignal): Promise<boolean> {
      signal.throwIfAborted();
      if (creates.isUnderWay) return wait(sinceMs, signal);
      creates.begin();
      return true;
    },
    leave(): void {
      creates.end();
      const next = waiting.shift();
      if (next === undefined) return;
      creates.begin();
      next.end(true);
    },
    /** Books the next free moment behind the line and returns how many milliseconds it is away. */
    bookMs: (): number => creates.bookMs(waiting.length),
  };
}

/** How long one create takes, and when the next moments without one are. */
function buildCreateTimes(monotonicNow: () => number) {
  let begunAt: number | null = null;
  let recent: readonly number[] = [];
  let nextFree = 0;
  const usualMs = (): number => recent.toSorted((a, b) => a - b)[Math.floor(recent.length / 2)] ?? 0;
  return {
    get areQuick() {
      const sinceBegun = begunAt === null ? 0 : monotonicNow() - begunAt;
      return usualMs() <= QUICK_MS && sinceBegun <= HANGING_MS;
    },
    get isUnderWay() {
      return begunAt !== null;
    },
    begin() {
      begunAt = monotonicNow();
    },
    end() {
      if (begunAt !== null) recent = [...recent.slice(1 - RECENT), monotonicNow() - begunAt];
      begunAt = null;
    },
    /** Books the next free moment behind so many others, and returns how many milliseconds it is away. */
    bookMs(others: number): number {
      const now = monotonicNow();
      const eachMs = Math.max(usualMs(), SHORTEST_MS);
      nextFree = Math.min(Math.max(nextFree, now + SOONEST_MS + others * eachMs) + eachMs, now + LATEST_MS);
      return nextFree - now;
    },
  };
}
