import { type Html, html } from './html.ts';

export interface FilterForm {
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
