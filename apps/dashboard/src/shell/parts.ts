import { LOCAL_ZONE, timeText } from '@passport/runtime';
import { type Html, html, type HtmlValue } from './html.ts';

interface FilterForm {
  /** Of the list. */
  readonly path: string;
  readonly query: {
    readonly library: string | null;
    /** `YYYY-MM-DDTHH:MM` in the time zone of the service. */
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
      ${from} (${LOCAL_ZONE})
      <input type="datetime-local" name="from" value="${query.from ?? ''}" />
    </label>
    <label>
      Until (${LOCAL_ZONE})
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

/** A figure with its name and what it counts, in a list of tiles; with `path` it leads to what it counts. */
export function tile(
  label: string,
  value: number,
  note: string | null,
  { className = '', path = null }: { readonly className?: string; readonly path?: string | null } = {},
): Html {
  const content = html`<span class="value">${value}</span>
    <span class="label">${label}</span> ${note === null ? null : html`<span class="quiet">${note}</span>`}`;
  return html`<li class="tile ${className} ${value === 0 ? 'none' : 'some'}">
    ${path === null ? html`<div>${content}</div>` : html`<a href="${path}">${content}</a>`}
  </li>`;
}

/** A time in the time zone of the service, and how long ago that is; `none` where there is none. */
export function timeElement(atMs: number | null, nowMs: number, none = 'never'): Html {
  if (atMs === null) return html`<span class="quiet">${none}</span>`;
  const iso = new Date(atMs).toISOString();
  return html`<time datetime="${iso}">${timeText(atMs, nowMs)}</time>`;
}

/** `200 ms`, `1.4 s`; a dash where it is not known. */
export function millisecondsText(ms: number | null): string {
  if (ms === null) return '–';
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}

/** A heading of a table; with `number`, its column holds figures. */
export type Head = string | readonly [text: string, kind: 'number'];

/** A table that is scrolled sideways, or stacked on a small screen. The first cell of a row is its heading. */
export function table(options: {
  readonly label: string;
  readonly className?: string;
  readonly heads: readonly Head[];
  readonly rows: readonly (readonly HtmlValue[])[];
}): Html {
  const { label, className = 'libraries', heads, rows } = options;
  const text = (place: number): string => [heads[place]].flat()[0] ?? '';
  const isNumber = (place: number): boolean => Array.isArray(heads[place]);
  const head = (_head: Head, place: number): Html =>
    isNumber(place)
      ? html`<th scope="col" class="number">${text(place)}</th>`
      : html`<th scope="col">${text(place)}</th>`;
  const cell = (value: HtmlValue, place: number): Html => {
    if (place === 0) return html`<th scope="row">${value}</th>`;
    return isNumber(place)
      ? html`<td data-label="${text(place)}" class="number">${value}</td>`
      : html`<td data-label="${text(place)}">${value}</td>`;
  };
  return html`<div class="scroll" role="region" aria-label="${label}" tabindex="0">
    <table class="${className}">
      <thead>
        <tr>
          ${heads.map(head)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (cells) =>
            html`<tr>
              ${cells.map(cell)}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

/** Terms and what they are, one below the other; what is undefined is left out. */
export function definitions(
  className: string,
  entries: readonly (readonly [term: string, value: HtmlValue | undefined])[],
): Html {
  return html`<dl class="${className}">
    ${entries.map(([term, value]) =>
      value === undefined
        ? null
        : html`<div>
            <dt>${term}</dt>
            <dd>${value}</dd>
          </div>`,
    )}
  </dl>`;
}

/** What of an address could not be understood. */
export const problemList = (problems: readonly string[]): readonly Html[] =>
  problems.map((problem) => html`<p class="fault fault-warning" role="alert">${problem}</p>`);

/** A link of several of which one is the page itself. */
export const navLink = (path: string, text: string, isHere: boolean): Html =>
  isHere ? html`<a href="${path}" aria-current="page">${text}</a>` : html`<a href="${path}">${text}</a>`;

/** The way through a list by pages; `pathAt` is the page that begins there, null the newest. */
export function pager(options: {
  readonly pathAt: (after: string | null) => string;
  readonly after: string | null;
  readonly next: string | null;
  readonly count: number;
  readonly what: string;
}): Html {
  const { pathAt, after, next, count, what } = options;
  return html`<nav class="pager" aria-label="Pages">
    ${after === null ? null : html`<a class="button" href="${pathAt(null)}">Newest</a>`}
    ${next === null ? null : html`<a class="button" href="${pathAt(next)}">Older</a>`}
    <span class="quiet">${count === 1 ? `1 ${what}` : `${count} ${what}s`} on this page</span>
  </nav>`;
}

/** The path of a library's own page. */
export const libraryPath = (basePath: string, id: string): string =>
  `${basePath}/libraries/${encodeURIComponent(id)}`;
