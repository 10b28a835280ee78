import type { LibraryLine, Overview } from './read-overview.ts';
import { type Html, html } from '../shell/html.ts';
import { type Head, libraryPath, millisecondsText, table, timeElement } from '../shell/parts.ts';
import { pauseNotes, rankOf, stateDetail, statePill } from './library-state.ts';

/** The state of each library, the troubled ones first. */
export function libraryTable(basePath: string, { libraries, nowMs, waitingCut }: Overview): Html {
  const rank = ({ enabled, state }: LibraryLine): number => rankOf(enabled, state);
  const lines = libraries.toSorted((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name));
  const rows = lines.map((line) => {
    const { id, name, state, enabled, pauses, waitedFor, unfinished } = line;
    return [
      html`<a href="${libraryPath(basePath, id)}">${name}</a> <span class="quiet">${id}</span>`,
      html`${statePill(enabled, state)} ${stateDetail(enabled, state, nowMs)} ${pauseNotes(pauses, nowMs)}`,
      timeElement(state.lastSuccessMs, nowMs, 'none known'),
      millisecondsText(state.answerMs),
      `${waitedFor}${waitingCut && waitedFor > 0 ? '+' : ''}`,
      unfinished,
    ];
  });
  const heads: readonly Head[] = [
    'Library',
    'State',
    'Last success',
    ['Answers in', 'number'],
    ['Scans waiting for it', 'number'],
    ['Its own unfinished scans', 'number'],
  ];
  return table({ label: 'Table of libraries', heads, rows });
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
