const LONGEST_MS = 24 * 60 * 60_000;

/**
 * Reads a `retry-after` header: whole seconds or an HTTP date (RFC 9110 section 10.2.3), as milliseconds from `nowMs`.
 * Null when there is none or it is no such thing; never below 0, never above a day.
 */
export function parseRetryAfter(header: string | undefined, nowMs: number): number | null {
  const text = header?.trim() ?? '';
  if (/^\d{1,9}$/.test(text)) return Math.min(Number(text) * 1000, LONGEST_MS);
  if (!/^[A-Z][a-z]{2,8},? /.test(text)) return null;
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : Math.min(Math.max(at - nowMs, 0), LONGEST_MS);
}
