const minuteMs = 60_000;

/** The clock of one Koha server: possibly wrong, and in its own time zone. */
export interface Clock {
  /** Milliseconds since the epoch, as this server believes. */
  nowMs(): number;
  /** `YYYY-MM-DD` in the server's time zone. */
  today(): string;
  /** RFC 3339 with the server's offset. */
  timestamp(atMs?: number): string;
  /** `YYYY-MM-DD` a number of days from today. */
  dayFromToday(days: number): string;
}

interface ClockSettings {
  readonly clock_skew_seconds: number;
  readonly utc_offset_minutes: number;
}

export function buildClock(now: () => number, settings: () => ClockSettings): Clock {
  const nowMs = (): number => now() + settings().clock_skew_seconds * 1000;
  const local = (atMs: number): string =>
    new Date(atMs + settings().utc_offset_minutes * minuteMs).toISOString();
  return {
    nowMs,
    today: () => local(nowMs()).slice(0, 10),
    timestamp: (atMs = nowMs()) => local(atMs).slice(0, 19) + offsetText(settings().utc_offset_minutes),
    dayFromToday: (days) => local(nowMs() + days * 24 * 60 * minuteMs).slice(0, 10),
  };
}

/** Koha counts enrolment periods in months and keeps to the last day of a shorter month. */
export function addMonths(day: string, months: number): string {
  const [year = 1970, month = 1, date = 1] = day.split('-').map(Number);
  const last = new Date(Date.UTC(year, month - 1 + months + 1, 0)).getUTCDate();
  return new Date(Date.UTC(year, month - 1 + months, Math.min(date, last))).toISOString().slice(0, 10);
}

function offsetText(minutes: number): string {
  const sign = minutes < 0 ? '-' : '+';
  const size = Math.abs(minutes);
  const two = (part: number): string => String(Math.trunc(part)).padStart(2, '0');
  return `${sign}${two(size / 60)}:${two(size % 60)}`;
}
