import type { LibraryCondition, LibraryState } from '@passport/queue/processes';
import type { ShownPause } from './read-pauses.ts';
import { type Html, html } from '../shell/html.ts';
import { timeElement } from '../shell/parts.ts';

export type ShownState = LibraryCondition | 'disabled';

const WORDS: Readonly<Record<ShownState, string>> = {
  up: 'up',
  slow: 'slow',
  crowded: 'at its limit',
  open: 'circuit open',
  misconfigured: 'misconfigured',
  unknown: 'not seen yet',
  disabled: 'not enabled',
};

/** A library that is not enabled is shown as such, whatever was seen of it before. */
export function shownState(isEnabled: boolean, { condition }: LibraryState): ShownState {
  return isEnabled ? condition : 'disabled';
}

/** The state of a library as a word in its colour. */
export function statePill(isEnabled: boolean, state: LibraryState): Html {
  const shown = shownState(isEnabled, state);
  return html`<span class="state state-${shown}">${WORDS[shown]}</span>`;
}

/** Why it is in that state; null where that needs no words. */
export function stateDetail(isEnabled: boolean, state: LibraryState, nowMs: number): Html | null {
  const shown = shownState(isEnabled, state);
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

/** What the library is paused as, until when and why. */
export function pauseNotes(pauses: readonly ShownPause[], nowMs: number): readonly Html[] {
  return pauses.map(
    ({ side, until_ms: untilMs, reason }) =>
      html`<span class="quiet"
        >paused as ${side} library, ends ${timeElement(untilMs, nowMs)}: ${reason}</span
      >`,
  );
}
