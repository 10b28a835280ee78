/** How long an event is followed. */
export const FOLLOWED_AT_MOST_MS = 20 * 60 * 1000;

/** How long to wait before the next poll: short while somebody stands there, then ever longer. */
export function nextPollMs(followedMs) {
  if (followedMs < 3000) return 400;
  if (followedMs < 15000) return 1000;
  if (followedMs < 60000) return 2500;
  return 6000;
}

/** A report that could not be sent is tried again this long after, undefined: no more. */
export function nextReportMs(faults, retryAfterS) {
  const wait = [1000, 2000, 4000, 8000][faults];
  return wait === undefined ? undefined : Math.max(wait, Math.min(retryAfterS || 0, 10) * 1000);
}
