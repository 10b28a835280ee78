import type { LibraryLine, Overview } from '../overview/read-overview.ts';
import { type Html, html } from '../shell/html.ts';
import { millisecondsText, timeElement } from '../shell/parts.ts';
import { pauseNotes, type ShownState, shownState, stateDetail, statePill } from './library-state.ts';

/** The path of a library's own page. */
export const libraryPath = (basePath: string, id: string): string =>
  `${basePath}/libraries/${encodeURIComponent(id)}`;

/** What needs a person comes first. */
const ORDER: readonly ShownState[] = [
  'misconfigured',
  'open',
  'crowded',
  'slow',
  'unknown',
  'up',
  'disabled',
];

/** The state of each library, the troubled ones first. */
export function libraryTable(basePath: string, { libraries, nowMs, waitingCut }: Overview): Html {
  const rank = ({ enabled, state }: LibraryLine): number => ORDER.indexOf(shownState(enabled, state));
  const lines = libraries.toSorted((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name));
  return html`<div class="scroll" role="region" aria-label="Table of libraries" tabindex="0">
    <table class="libraries">
      <thead>
        <tr>
          <th scope="col">Library</th>
          <th scope="col">State</th>
          <th scope="col">Last success</th>
          <th scope="col" class="number">Answers in</th>
          <th scope="col" class="number">Scans waiting for it</th>
          <th scope="col" class="number">Its own unfinished scans</th>
        </tr>
      </thead>
      <tbody>
        ${lines.map((line) => row(basePath, line, nowMs, waitingCut))}
      </tbody>
    </table>
  </div>`;
}

function row(basePath: string, line: LibraryLine, nowMs: number, waitingCut: boolean): Html {
  const { state, enabled } = line;
  const more = waitingCut && line.waitedFor > 0 ? '+' : '';
  return html`<tr>
    <th scope="row">
      <a href="${libraryPath(basePath, line.id)}">${line.name}</a>
      <span class="quiet">${line.id}</span>
    </th>
    <td data-label="State">
      ${statePill(enabled, state)} ${stateDetail(enabled, state, nowMs)} ${pauseNotes(line.pauses, nowMs)}
    </td>
    <td data-label="Last success">${timeElement(state.lastSuccessMs, nowMs)}</td>
    <td data-label="Answers in" class="number">${millisecondsText(state.answerMs)}</td>
    <td data-label="Scans waiting for it" class="number">${line.waitedFor}${more}</td>
    <td data-label="Its own unfinished scans" class="number">${line.unfinished}</td>
  </tr>`;
}

/** What the configuration makes one wonder about, under the table of libraries; nothing where there is nothing. */
export function libraryWarnings({ libraries }: Overview): Html | null {
  const lines = libraries.flatMap(({ name, warnings = [] }) =>
    warnings.map(({ text }) => html`<li><strong>${name}</strong>: ${text}</li>`),
  );
  if (lines.length === 0) return null;
  return html`<div class="advice" role="note" aria-label="Warnings about the configuration">
    <p>The configuration is valid, but may not be what you intend:</p>
    <ul>
      ${lines}
    </ul>
  </div>`;
}
