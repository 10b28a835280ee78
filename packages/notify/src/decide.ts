import type { NotificationTopic } from '@passport/contract';
import type { Notified } from '@passport/queue/notices';
import type { Observation } from './observation.ts';

interface Pace {
  /** A state counts once it has lasted so long: a Koha that restarts is no news. */
  readonly steadyMs: number;
  /** The same of a state that is well. */
  readonly wellMs: number;
  /** At most so many messages of a topic and library within `perMs`; then the state that holds by that time. */
  readonly most: number;
  readonly perMs: number;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

const PACES: Readonly<Record<NotificationTopic, Pace>> = {
  library: { steadyMs: 15_000, wellMs: 15_000, most: 2, perMs: 10 * MINUTE_MS },
  set_up_fault: { steadyMs: 0, wellMs: 0, most: 2, perMs: 10 * MINUTE_MS },
  limit_reached: { steadyMs: 15_000, wellMs: 0, most: 1, perMs: HOUR_MS },
  // Longer than the restart of the only worker.
  worker_missing: { steadyMs: 20_000, wellMs: 0, most: 2, perMs: 10 * MINUTE_MS },
  service_fault: { steadyMs: 15_000, wellMs: 15_000, most: 2, perMs: 10 * MINUTE_MS },
  // Strangers can cause refusals, and genuine deliveries end them.
  deliveries_refused: { steadyMs: 10_000, wellMs: 15_000, most: 2, perMs: HOUR_MS },
  reports_refused: { steadyMs: 15_000, wellMs: 15_000, most: 2, perMs: 10 * MINUTE_MS },
  sweep_finished: { steadyMs: 0, wellMs: 0, most: 1, perMs: 0 },
  join_request: { steadyMs: 0, wellMs: 0, most: 2, perMs: HOUR_MS },
  certificate: { steadyMs: 0, wellMs: 0, most: 1, perMs: HOUR_MS },
};

/** What is to be written of an observation, and whether it is worth a message; null: nothing has changed. Pure. */
export function decide(
  before: Notified | null,
  { topic, state, isWell, type }: Observation,
  nowMs: number,
): { readonly after: Notified; readonly notifies: boolean } | null {
  if (before === null && isWell) return null;
  const { steadyMs, wellMs, most, perMs } = PACES[topic];
  const lastsMs = isWell ? wellMs : steadyMs;
  const notified = before?.notified ?? null;
  const recent = (before?.recent ?? []).slice(-most);
  const seen = before?.seen.state === state ? before.seen : { state, since_ms: nowMs };
  // Whichever way the clock was set meanwhile.
  const isNews =
    notified !== state && !(notified === null && isWell) && Math.abs(nowMs - seen.since_ms) >= lastsMs;
  const isInTime = recent.length < most || Math.abs(nowMs - (recent[0] ?? 0)) >= perMs;
  if (isNews && (type === null || isInTime)) {
    const times = type === null ? recent : [...recent, nowMs].slice(-most);
    return { after: { notified: state, recent: times, seen }, notifies: type !== null };
  }
  return seen === before?.seen ? null : { after: { notified, recent, seen }, notifies: false };
}
