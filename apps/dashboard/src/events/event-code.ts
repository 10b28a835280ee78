import type { EventState } from '@passport/contract';
import { OUTCOME_TABLE } from '../outcomes/outcome-table.ts';
import { type Html, html } from '../shell/html.ts';

/** What an outcome means, in a word or two; null while there is none. */
export function kindOf({ outcome }: Pick<EventState, 'outcome'>): string | null {
  return outcome === null ? null : OUTCOME_TABLE[outcome].group;
}

/** The outcome in the colour of its kind, or the state while there is none. */
export function eventCode(state: Pick<EventState, 'outcome' | 'state'>): Html {
  const kind = kindOf(state);
  const look = kind === null ? state.state : kind.replace(' ', '-');
  return html`<span class="code code-${look}">${state.outcome ?? state.state}</span>`;
}
