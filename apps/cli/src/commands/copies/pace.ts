import { setTimeout as sleep } from 'node:timers/promises';

/** The longest pause: a Koha that takes longer to answer is not in danger of being called too often. */
const LONGEST_MS = 5_000;

/**
 * Makes one call after the other, and after each a pause of the same length: at most half of one web worker of a Koha is ever used,
 * whatever its size, and the desks have the remainder.
 */
export function buildPace(signal: AbortSignal): <T>(call: () => Promise<T>) => Promise<T> {
  let pauseMs = 0;
  return async (call) => {
    await sleep(Math.min(pauseMs, LONGEST_MS), undefined, { signal });
    const startedAt = performance.now();
    try {
      return await call();
    } finally {
      pauseMs = performance.now() - startedAt;
    }
  };
}
