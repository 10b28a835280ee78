import { type Html, html } from './html.ts';

const STEPS = [
  { unit: 'day', ms: 86_400_000 },
  { unit: 'hour', ms: 3_600_000 },
  { unit: 'minute', ms: 60_000 },
  { unit: 'second', ms: 1_000 },
] as const;
const RELATIVE = new Intl.RelativeTimeFormat('en', { numeric: 'always', style: 'long' });

/** `3 minutes ago`, `in 20 seconds`, `just now`: the same sentence in every time zone. */
export function relativeTime(atMs: number, nowMs: number): string {
  const difference = atMs - nowMs;
  const step = STEPS.find(({ ms }) => Math.abs(difference) >= ms);
  if (step === undefined) return 'just now';
  return RELATIVE.format(Math.trunc(difference / step.ms), step.unit);
}

/** A time as a person reads it, with the exact one (UTC) behind it. */
export function timeElement(atMs: number | null, nowMs: number): Html {
  if (atMs === null) return html`<span class="quiet">never</span>`;
  const iso = new Date(atMs).toISOString();
  const exact = `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`;
  return html`<time datetime="${iso}" title="${exact}">${relativeTime(atMs, nowMs)}</time>`;
}

/** `0.4 s`, `12 s`, `3 min`, `2 h`. */
export function durationText(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  return seconds < 7_200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3_600)} h`;
}

/** `200 ms`, `1.4 s`; a dash where it is not known. */
export function millisecondsText(ms: number | null): string {
  if (ms === null) return '–';
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}
