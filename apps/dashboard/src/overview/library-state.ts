import {
  CONDITION_WORDS,
  type LibraryCondition,
  type LibraryState,
  problemText,
} from '@passport/queue/processes';
import type { ShownPause } from './read-pauses.ts';
import { type Html, html } from '../shell/html.ts';
import { timeElement } from '../shell/parts.ts';

const WORDS = { ...CONDITION_WORDS, disabled: 'not enabled' } as const;
type ShownState = LibraryCondition | 'disabled';

/** What needs a person comes first. */
export const rankOf = (isEnabled: boolean, state: LibraryState): number =>
  Object.keys(WORDS).indexOf(shownState(isEnabled, state));

/** A library that is not enabled is shown as such, whatever was seen of it before. */
function shownState(isEnabled: boolean, { condition }: LibraryState): ShownState {
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
    return html`<span class="quiet">${problemText(state.problem)}</span>`;
  }
  if (shown === 'crowded') {
    return html`<span class="quiet"
      >${state.waiting} ${state.waiting === 1 ? 'call waits' : 'calls wait'}</span
    >`;
  }
  if (shown !== 'open') return null;
  const since = state.openSinceMs === null ? null : html` since ${timeElement(state.openSinceMs, nowMs)}`;
  const why = state.lastFailure === null ? '' : ` (${state.lastFailure})`;
  return html`<span class="quiet">${since}${why}</span>`;
}

const SECTIONS: { readonly [state in ShownState]?: string } = {
  misconfigured: 'passportmisconfigured',
  open: 'passportlibraryopen',
  slow: 'passportlibraryslow',
  crowded: 'a-library-at-its-limit',
};

/** The section of the runbook about that state; null where nothing is to do. */
export const stateSection = (isEnabled: boolean, state: LibraryState): string | null =>
  SECTIONS[shownState(isEnabled, state)] ?? null;

/** What the library is paused as, until when and why; once for both sides where it is the same pause. */
export function pauseNotes(pauses: readonly ShownPause[], nowMs: number): readonly Html[] {
  const [first, ...others] = pauses;
  const isSame = ({ until_ms: untilMs, reason }: ShownPause): boolean =>
    untilMs === first?.until_ms && reason === first.reason;
  const isOne = others.length > 0 && others.every(isSame);
  return (isOne ? pauses.slice(0, 1) : pauses).map(
    ({ side, until_ms: untilMs, reason }) =>
      html`<span class="quiet"
        >paused${isOne ? '' : ` as ${side} library`}, ends ${timeElement(untilMs, nowMs)}: ${reason}</span
      >`,
  );
}
