/*
 * Times as people read them, on the terminal and on the dashboard: one form, in the time zone of this process (`TZ`), which it names.
 * Programs get ISO 8601 in UTC.
 */

const STEPS = [
  { unit: 'day', ms: 86_400_000 },
  { unit: 'hour', ms: 3_600_000 },
  { unit: 'minute', ms: 60_000 },
  { unit: 'second', ms: 1_000 },
] as const;
const RELATIVE = new Intl.RelativeTimeFormat('en', { numeric: 'always', style: 'long' });
const formatIn = (timeZone: string | undefined): Intl.DateTimeFormat =>
  new Intl.DateTimeFormat('en-GB', {
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    timeZoneName: 'short',
    timeZone,
  });
const HERE = formatIn(undefined);
/** The time zone of this process, such as `Europe/Berlin`. */
export const LOCAL_ZONE = HERE.resolvedOptions().timeZone;

/** The parts of a time, such as `{ day: '2026-11-29', time: '14:32:07', zone: 'CET' }`; in the zone of this process unless one is named. */
export function localParts(
  ms: number,
  zone?: string,
): { readonly day: string; readonly time: string; readonly zone: string } {
  const format = zone === undefined ? HERE : formatIn(zone);
  const parts = new Map(format.formatToParts(ms).map(({ type, value }) => [type, value]));
  const join = (names: readonly Intl.DateTimeFormatPartTypes[], by: string): string =>
    names.map((name) => parts.get(name) ?? '').join(by);
  return {
    day: join(['year', 'month', 'day'], '-'),
    time: join(['hour', 'minute', 'second'], ':'),
    zone: parts.get('timeZoneName') ?? '',
  };
}

/** `2026-11-29 14:32:07 CET`. */
export function localTime(ms: number): string {
  const { day, time, zone } = localParts(ms);
  return `${day} ${time} ${zone}`;
}

const UTC_TIME = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;

/** A value for a person: a time as programs have it (ISO 8601 in UTC) as {@link localTime}, all else as it is. */
export function withLocalTime(text: string): string {
  const ms = UTC_TIME.test(text) ? Date.parse(text) : NaN;
  return Number.isNaN(ms) ? text : localTime(ms);
}

/** `3 minutes ago`, `in 20 seconds`, `just now`. */
export function relativeTime(atMs: number, nowMs: number): string {
  const difference = atMs - nowMs;
  const step = STEPS.find(({ ms }) => Math.abs(difference) >= ms);
  if (step === undefined) return 'just now';
  return RELATIVE.format(Math.trunc(difference / step.ms), step.unit);
}

/** Both: `2026-11-29 14:32:07 CET, 3 minutes ago`. */
export const timeText = (atMs: number, nowMs: number): string =>
  `${localTime(atMs)}, ${relativeTime(atMs, nowMs)}`;

/** A length of time: `0.4 s`, `12 s`, `3 min`, `2 h`, `5 d`. */
export function durationText(ms: number): string {
  const seconds = Math.max(0, ms / 1_000);
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} d`;
}
