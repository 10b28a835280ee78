import { ACTS, type FoundActs, type ListedAct, detailsText } from '@passport/queue';
import { type AuditQuery, type AuditQueryReading, auditPath } from './audit-query.ts';
import { eventPath } from '../events/event-list.ts';
import { choice, filterForm } from '../shell/parts.ts';
import { type Html, html } from '../shell/html.ts';
import { timeElement } from '../shell/time-text.ts';

export interface AuditView {
  readonly basePath: string;
  readonly nameOf: (library: string) => string;
  readonly nowMs: number;
  readonly reading: AuditQueryReading;
  readonly found: FoundActs;
  /** Those that may be chosen. */
  readonly libraries: readonly { readonly id: string; readonly name: string }[];
}

/** What somebody did to an event, which has a page. */
const OF_AN_EVENT: readonly string[] = ['retry', 'promote', 'discard'];
const SOURCES: Readonly<Record<string, string>> = {
  cli: 'command',
  dashboard: 'dashboard',
  worker: 'service',
};

/** Who did what and when, the newest first, by library, account, act and time. */
export function auditPage(view: AuditView): Html {
  const { basePath, reading, found } = view;
  const { query, problems } = reading;
  const download = { ...query, after: null };
  return html`<div class="title">
      <h1>Audit</h1>
      <p class="quiet now">What was done with the command, on the dashboard and by the service itself</p>
      <a class="button" href="${auditPath(basePath, download, '.csv')}">Download as CSV</a>
      <a class="button" href="${auditPath(basePath, download, '.json')}">Download as JSON</a>
    </div>
    ${filterOf(view)}
    ${problems.map((problem) => html`<p class="fault fault-warning" role="alert">${problem}</p>`)}
    ${
      found.acts.length === 0
        ? html`<p class="empty">${isFiltered(query) ? 'Nothing fits.' : 'Nothing was done so far.'}</p>`
        : actTable(view)
    }
    ${pager(view)}
    <p class="quiet">
      Times are in UTC. Names are those of staff accounts. Scans are under
      <a href="${basePath}/events">Events</a>, each with its history.
    </p>`;
}

const isFiltered = (query: AuditQuery): boolean => Object.values(query).some((value) => value !== null);

function filterOf({ basePath, reading: { query }, libraries }: AuditView): Html {
  const path = `${basePath}/audit`;
  const account = html`<label>
    Account
    <input
      name="by"
      value="${query.by ?? ''}"
      maxlength="200"
      autocomplete="off"
      spellcheck="false"
      size="12"
    />
  </label>`;
  const acts = ACTS.map((act) => [act, textOf(act)] as const);
  const fields = [account, choice('act', 'Act', acts, query.act)];
  return filterForm({
    path,
    query,
    libraries,
    fields,
    from: 'From',
    clearPath: isFiltered(query) ? path : null,
  });
}

function actTable(view: AuditView): Html {
  return html`<div class="scroll" role="region" aria-label="Table: Acts" tabindex="0">
    <table class="libraries audit">
      <thead>
        <tr>
          ${['When', 'Who', 'What', 'Library', 'Result'].map((head) => html`<th scope="col">${head}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${view.found.acts.map((act) => row(act, view))}
      </tbody>
    </table>
  </div>`;
}

function row(act: ListedAct, { basePath, nameOf, nowMs }: AuditView): Html {
  const { by, source, libraries, homes, event, result, count } = act;
  const iso = new Date(act.atMs).toISOString();
  const [library] = libraries;
  const names = libraries.map(nameOf).join(', ');
  const ofHomes = homes.filter((home) => !libraries.includes(home)).map(nameOf);
  const hasPage = event !== null && library !== undefined && OF_AN_EVENT.includes(act.act);
  const details = detailsText(act);
  return html`<tr>
    <th scope="row">
      ${iso.slice(0, 10)} ${iso.slice(11, 19)}
      <span class="quiet">${timeElement(act.atMs, nowMs)}</span>
    </th>
    <td data-label="Who">
      <div>
        ${by ?? html`<span class="quiet">${source === 'worker' ? 'the service' : 'unknown account'}</span>`}
        ${by === null ? null : html`<span class="quiet">${SOURCES[source] ?? source}</span>`}
      </div>
    </td>
    <td data-label="What">
      <div>
        ${textOf(act.act)}
        ${hasPage ? html`<a class="quiet" href="${eventPath(basePath, library, event)}">${event}</a>` : null}
      </div>
    </td>
    <td data-label="Library">
      <div>
        ${names === '' ? html`<span class="quiet">–</span>` : names}
        ${ofHomes.length === 0 ? null : html`<span class="quiet">patrons of ${ofHomes.join(', ')}</span>`}
      </div>
    </td>
    <td data-label="Result">
      <div>
        ${result === null ? null : html`<code>${result}</code>`}
        ${result === null && count === 1 && details === '' ? html`<span class="quiet">–</span>` : null}
        ${count === 1 ? null : html`<span>${count} times</span>`}
        ${details === '' ? null : html`<span class="quiet">${details}</span>`}
      </div>
    </td>
  </tr>`;
}

/** `copies_purge` is the command `copies purge`. */
const textOf = (act: string): string => act.replace('_', ' ');

function pager({ basePath, reading: { query }, found: { next, acts } }: AuditView): Html {
  return html`<nav class="pager" aria-label="Pages">
    ${query.after === null ? null : html`<a class="button" href="${auditPath(basePath, { ...query, after: null })}">Newest</a>`}
    ${next === null ? null : html`<a class="button" href="${auditPath(basePath, { ...query, after: next })}">Older</a>`}
    <span class="quiet">${acts.length === 1 ? '1 act' : `${acts.length} acts`} on this page</span>
  </nav>`;
}
