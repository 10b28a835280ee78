import { type Html, html } from './html.ts';

interface FilterForm {
  /** Of the list. */
  readonly path: string;
  readonly query: {
    readonly library: string | null;
    /** `YYYY-MM-DDTHH:MM` in UTC. */
    readonly from: string | null;
    readonly until: string | null;
  };
  /** Those that may be chosen. */
  readonly libraries: readonly { readonly id: string; readonly name: string }[];
  /** What the list is filtered by beside library and time. */
  readonly fields: readonly Html[];
  /** What the beginning of the time is called. */
  readonly from: string;
  /** Where nothing is filtered; null where that is so already. */
  readonly clearPath: string | null;
}

/** The filter of a list, which reads it from the address. */
export function filterForm({ path, query, libraries, fields, from, clearPath }: FilterForm): Html {
  return html`<form class="filter" method="get" action="${path}" aria-label="Filter">
    <label>
      Library
      <select name="library">
        ${option('', 'All', query.library)}
        ${libraries.map(({ id, name }) => option(id, name, query.library))}
      </select>
    </label>
    ${fields}
    <label>
      ${from} (UTC)
      <input type="datetime-local" name="from" value="${query.from ?? ''}" />
    </label>
    <label>
      until (UTC)
      <input type="datetime-local" name="until" value="${query.until ?? ''}" />
    </label>
    <button class="button">Filter</button>
    ${clearPath === null ? null : html`<a href="${clearPath}">Clear</a>`}
  </form>`;
}

/** A field of which one value is chosen, or any. */
export const choice = (
  name: string,
  label: string,
  values: readonly (readonly [value: string, text: string])[],
  chosen: string | null,
): Html =>
  html`<label>
    ${label}
    <select name="${name}">
      ${option('', 'Any', chosen)} ${values.map(([value, text]) => option(value, text, chosen))}
    </select>
  </label>`;

const option = (value: string, text: string, chosen: string | null): Html =>
  value === (chosen ?? '')
    ? html`<option value="${value}" selected>${text}</option>`
    : html`<option value="${value}">${text}</option>`;

/** A figure with its name and what it counts, in a list of tiles. */
export const tile = (label: string, value: number, note: string, className = ''): Html =>
  html`<li class="tile ${className} ${value === 0 ? 'none' : 'some'}">
    <div>
      <span class="value">${value}</span>
      <span class="label">${label}</span>
      <span class="quiet">${note}</span>
    </div>
  </li>`;

const STEPS = [
  { unit: 'day', ms: 86_400_000 },
  { unit: 'hour', ms: 3_600_000 },
  { unit: 'minute', ms: 60_000 },
  { unit: 'second', ms: 1_000 },
] as const;
const RELATIVE = new Intl.RelativeTimeFormat('en', { numeric: 'always', style: 'long' });

/** `3 minutes ago`, `in 20 seconds`, `just now`: the same sentence in every time zone. */
function relativeTime(atMs: number, nowMs: number): string {
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
