/** Faults after which the event was certainly not taken. */
const NOT_TAKEN = ['not_configured', 'receiver_busy', 'receiver_refused'];

/** What an answer to POST /scans means. */
export function readReport(status, body) {
  if (status === 202 && body && body.event_id)
    return { kind: 'accepted', eventId: body.event_id, isCoalesced: body.joined === true };
  if (status === 422)
    return { kind: 'stop', fault: body && body.error_code === 'item_here' ? 'item_here' : 'not_a_card' };
  if (status === 401) return { kind: 'stop', fault: 'session' };
  if ([400, 403, 404, 415].includes(status)) return { kind: 'stop', fault: 'forbidden' };
  // Nobody answered, so it may have been taken all the same: whoever cancels has to name it, or to know that nobody can.
  const eventId = (body && body.event_id) || undefined;
  const isUnsure = !eventId && !(body && NOT_TAKEN.includes(body.error_code));
  if (status === 502) return { kind: 'stop', fault: 'refused', isUnsure };
  return { kind: 'again', fault: 'unreachable', eventId, isUnsure };
}

/** The service may say whether an event that it does not know has never come, or is not kept any more. */
const UNKNOWN = { not_seen: 'unseen', not_kept: 'forgotten' };

/** What an answer to POST /scans/{event_id}/cancel means. */
export function readCancel(status, body) {
  if (status === 200 && body && body.result && body.state)
    return { kind: 'cancelled', result: body.result, state: body.state };
  if (status === 404) return { kind: UNKNOWN[body && body.error_code] || 'unknown' };
  if ([400, 401, 403, 415, 422, 502].includes(status)) return { kind: 'stop' };
  return { kind: 'again' };
}

/** What an answer to GET /scans/{event_id} means. */
export function readState(status, body) {
  if (status === 200 && body && body.state) return { kind: 'state', state: body };
  if (status === 404) return { kind: 'lost' };
  if (status === 401) return { kind: 'stop', fault: 'session' };
  if (status === 403) return { kind: 'stop', fault: 'forbidden' };
  return { kind: 'again', fault: 'koha' };
}

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
