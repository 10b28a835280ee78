const twoDigits = (value: number): string => String(Math.trunc(Math.abs(value))).padStart(2, '0');

/** ISO 8601 with this machine's offset, as a library's own server would write it: the day of a scan is the day there. */
export function localTimestamp(ms: number): string {
  const offsetMinutes = -new Date(ms).getTimezoneOffset();
  const shifted = new Date(ms + offsetMinutes * 60_000).toISOString().slice(0, -1);
  const sign = offsetMinutes < 0 ? '-' : '+';
  return `${shifted}${sign}${twoDigits(offsetMinutes / 60)}:${twoDigits(offsetMinutes % 60)}`;
}

/** The day of this machine's calendar, `YYYY-MM-DD`. */
export function localDay(ms: number): string {
  return localTimestamp(ms).slice(0, 10);
}
