/** Hands out the places of the cap on calls in flight, first come, first served. */
export interface Slots {
  /** Waits for a place for at most `waitMs`; resolves to the function that gives it back, or why there is none. */
  take(waitMs: number, signal: AbortSignal | undefined): Promise<(() => void) | 'busy' | 'aborted'>;
  readonly taken: number;
}

type Turn = (() => void) | 'busy' | 'aborted';

/**
 * Builds the cap of one client. The agent's own limit of sockets would do the counting too, but a request waiting there
 * is already on the clock, so a full house would be told as "Koha did not answer".
 */
export function buildSlots(size: number): Slots {
  const waiting = new Set<() => void>();
  let taken = 0;

  const occupy = (): (() => void) => {
    taken += 1;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      taken -= 1;
      const [next] = waiting;
      next?.();
    };
  };

  const queue = (waitMs: number, signal: AbortSignal | undefined): Promise<Turn> =>
    new Promise((resolve) => {
      const leave = (turn: () => Turn): void => {
        waiting.delete(start);
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
        resolve(turn());
      };
      const start = (): void => leave(occupy);
      const abort = (): void => leave(() => 'aborted');
      const timer = setTimeout(() => leave(() => 'busy'), waitMs);
      signal?.addEventListener('abort', abort, { once: true });
      waiting.add(start);
    });

  return {
    take: (waitMs, signal) => {
      if (signal?.aborted === true) return Promise.resolve('aborted');
      return taken < size ? Promise.resolve(occupy()) : queue(waitMs, signal);
    },
    get taken() {
      return taken;
    },
  };
}
