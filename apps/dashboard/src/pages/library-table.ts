import type { LibraryCondition } from '@passport/queue';
import type { LibraryLine, Overview } from '../read-overview.ts';
import { type Html, html } from './html.ts';
import { timeElement } from './time-text.ts';

type Shown = LibraryCondition | 'paused';

const WORDS: Readonly<Record<Shown, string>> = {
  up: 'up',
  slow: 'slow',
  crowded: 'at its limit',
  open: 'circuit open',
  misconfigured: 'misconfigured',
  unknown: 'not seen yet',
  paused: 'paused',
};
/** What needs a person comes first. */
const ORDER: readonly Shown[] = ['misconfigured', 'open', 'crowded', 'slow', 'unknown', 'up', 'paused'];

/** The state of each library, the troubled ones first. */
export function libraryTable({ libraries, nowMs, waitingCut }: Overview): Html {
  const lines = libraries.toSorted(
    (a, b) => ORDER.indexOf(shownState(a)) - ORDER.indexOf(shownState(b)) || a.name.localeCompare(b.name),
  );
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
        ${lines.map((line) => row(line, nowMs, waitingCut))}
      </tbody>
    </table>
  </div>`;
}

function row(line: LibraryLine, nowMs: number, waitingCut: boolean): Html {
  const { state } = line;
  const shown = shownState(line);
  const more = waitingCut && line.waitedFor > 0 ? '+' : '';
  return html`<tr>
    <th scope="row">
      ${line.name}
      <span class="quiet">${line.id}</span>
    </th>
    <td data-label="State">
      <span class="state state-${shown}">${WORDS[shown]}</span>
      ${detail(line, shown, nowMs)}
    </td>
    <td data-label="Last success">${timeElement(state.lastSuccessMs, nowMs)}</td>
    <td data-label="Answers in" class="number">${answerText(state.answerMs)}</td>
    <td data-label="Scans waiting for it" class="number">${line.waitedFor}${more}</td>
    <td data-label="Its own unfinished scans" class="number">${line.unfinished}</td>
  </tr>`;
}

function shownState({ enabled, state }: LibraryLine): Shown {
  return enabled ? state.condition : 'paused';
}

function detail({ state }: LibraryLine, shown: Shown, nowMs: number): Html | null {
  if (shown === 'misconfigured' && state.problem !== null) {
    const name = state.problem.name === null ? '' : ` ${state.problem.name}`;
    return html`<span class="quiet">${state.problem.what.replace('_', ' ')}${name}</span>`;
  }
  if (shown === 'crowded') {
    return html`<span class="quiet"
      >${state.waiting} ${state.waiting === 1 ? 'call waits' : 'calls wait'}</span
    >`;
  }
  if (shown !== 'open' || state.lastFailureMs === null) return null;
  return html`<span class="quiet"
    >${state.lastFailure ?? 'failure'} ${timeElement(state.lastFailureMs, nowMs)}</span
  >`;
}

function answerText(answerMs: number | null): string {
  if (answerMs === null) return '–';
  return answerMs < 1_000 ? `${Math.round(answerMs)} ms` : `${(answerMs / 1_000).toFixed(1)} s`;
}
