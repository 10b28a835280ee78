/** Gives out the places of the cap on calls in flight, first come, first served. */
export interface Slots {
  /**
   * Waits for a place for at most `waitMs`, which is called again during the wait; resolves to the function that releases it, or why there is none.
   */
  take(waitMs: () => number, signal: AbortSignal | undefined): Promise<(() => void) | 'busy' | 'aborted'>;
  /** Ends every wait as `busy`. */
  dismiss(): void;
  /** From now on so many; those who have a place keep it. */
  resize(size: number): void;
  readonly size: number;
  readonly taken: number;
  readonly waiting: number;
}

type SlotResult = (() => void) | 'busy' | 'aborted';

/** A wait may become shorter while it lasts: others need what waits. */
const RECHECK_MS = 250;

/**
 * Builds the cap of one client. The agent's own limit of sockets would do the counting too, but a request waiting there
 * is already on the clock, so a cap that is reached would look like "Koha did not answer".
 */
export function buildSlots(firstSize: number): Slots {
  let size = firstSize;
  /** What begins each waiting call, and what sends it away. */
  const waiting = new Map<() => void, () => void>();
  let taken = 0;

  const occupy = (): (() => void) => {
    taken += 1;
    let isTaken = true;
    return () => {
      if (!isTaken) return;
      isTaken = false;
      taken -= 1;
      const [next] = waiting.keys();
      if (taken < size) next?.();
    };
  };

  const queue = (waitMs: () => number, signal: AbortSignal | undefined): Promise<SlotResult> =>
    new Promise((resolve) => {
      const leave = (outcome: () => SlotResult): void => {
        waiting.delete(start);
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
        resolve(outcome());
      };
      const start = (): void => leave(occupy);
      const abort = (): void => leave(() => 'aborted');
      const dismiss = (): void => leave(() => 'busy');
      const since = performance.now();
      const check = (): void => {
        const leftMs = waitMs() - (performance.now() - since);
        if (leftMs <= 0) dismiss();
        else timer = setTimeout(check, Math.min(leftMs, RECHECK_MS));
      };
      let timer = setTimeout(check, Math.min(waitMs(), RECHECK_MS));
      signal?.addEventListener('abort', abort, { once: true });
      waiting.set(start, dismiss);
    });

  return {
    take: (waitMs, signal) => {
      if (signal?.aborted === true) return Promise.resolve('aborted');
      return taken < size ? Promise.resolve(occupy()) : queue(waitMs, signal);
    },
    dismiss() {
      for (const dismiss of waiting.values()) dismiss();
    },
    resize(newSize) {
      size = newSize;
      for (const start of [...waiting.keys()].slice(0, Math.max(0, size - taken))) start();
    },
    get size() {
      return size;
    },
    get taken() {
      return taken;
    },
    get waiting() {
      return waiting.size;
    },
  };
}
