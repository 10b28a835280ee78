/** How long to wait before the next poll: short while somebody stands there, then ever longer, and never for good. */
export function nextPollMs(followedMs) {
  if (followedMs < 3000) return 400;
  if (followedMs < 15000) return 1000;
  if (followedMs < 60000) return 2500;
  if (followedMs < 20 * 60 * 1000) return 6000;
  return 30000;
}

/** A report that could not be sent is tried again this long after, for as long as the page is open. */
export function nextReportMs(faults, retryAfterS) {
  const wait = [1000, 2000, 4000, 8000, 15000][faults] || 30000;
  return Math.max(wait, Math.min(retryAfterS || 0, 60) * 1000);
}

/** A cancel that could not be sent is tried again this long after, undefined: no more, and staff are to know. */
export function nextCancelMs(faults, retryAfterS) {
  const wait = [1000, 2000, 4000, 8000][faults];
  return wait === undefined ? undefined : Math.max(wait, Math.min(retryAfterS || 0, 10) * 1000);
}
