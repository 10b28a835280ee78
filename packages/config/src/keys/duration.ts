import * as z from 'zod';

const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
type Unit = keyof typeof UNITS;

const isUnit = (text: string | undefined): text is Unit => text !== undefined && Object.hasOwn(UNITS, text);

/** Milliseconds of a duration such as `500ms`, `90s`, `15m`, `24h` or `7d`; null for anything else, bare numbers included. */
export function parseDuration(text: string): number | null {
  const [, digits, unit] = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text) ?? [];
  return digits === undefined || !isUnit(unit) ? null : Number(digits) * UNITS[unit];
}

/** The shortest way to write whole milliseconds as a duration: the inverse of `parseDuration`. */
export function formatDuration(ms: number): string {
  const unit =
    (['d', 'h', 'm', 's'] as const).find((candidate) => ms > 0 && ms % UNITS[candidate] === 0) ?? 'ms';
  return `${ms / UNITS[unit]}${unit}`;
}

/** The schema of a duration between two others, read into milliseconds. */
export function durationBetween(from: string, to: string) {
  const [least, most] = [parseDuration(from) ?? 0, parseDuration(to) ?? 0];
  return z.string().transform((text, context) => {
    const ms = parseDuration(text);
    if (ms === null) context.addIssue({ code: 'custom', message: 'is not a duration' });
    else if (ms < least || ms > most) {
      context.addIssue({ code: 'custom', message: `is ${formatDuration(ms)}, out of bounds` });
    }
    return ms ?? least;
  });
}
