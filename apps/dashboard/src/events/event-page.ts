import type { Attempt, EventState } from '@passport/contract';
import type { ActionName } from './person-actions.ts';
import { adviceOn } from '../outcomes/outcome-table.ts';
import { eventCode, kindOf } from './event-code.ts';
import { eventHistory } from './event-history.ts';
import { eventPath } from './event-list.ts';
import { type Html, type HtmlValue, html } from '../shell/html.ts';
import { libraryPath } from '../libraries/library-table.ts';
import { timeElement } from '../shell/time-text.ts';

export interface EventPage {
  readonly basePath: string;
  readonly state: EventState;
  readonly attempts: readonly Attempt[];
  readonly nowMs: number;
  readonly nameOf: (library: string) => string;
  readonly mayAct: boolean;
  /** Whether they have the queue board, too. */
  readonly hasBoard: boolean;
  /** What came of the action that led here. */
  readonly notice: string | null;
}

/** One event: what happened in words, what to do, and everything that is known, none of it personal. */
export function eventPage(page: EventPage): Html {
  const { state, basePath, notice } = page;
  const advice = adviceOn(state);
  return html`<p class="crumbs">
      <a href="${basePath}/events?state=${state.state}">Events: ${state.state}</a>
    </p>
    <div class="title">
      <h1>${state.message}</h1>
      ${eventCode(state)}
    </div>
    ${notice === null ? null : html`<p class="notice" role="status">${notice}</p>`}
    ${advice === null ? null : html`<p class="advice">${advice}</p>`} ${actions(page)}
    <dl class="facts">
      ${facts(page).map(
        ([term, value]) =>
          html`<div>
            <dt>${term}</dt>
            <dd>${value}</dd>
          </div>`,
      )}
    </dl>
    ${eventHistory(page)} ${page.hasBoard ? boardLink(basePath, state) : null}`;
}

function boardLink(basePath: string, { library, event_id: eventId }: EventState): Html {
  const path = `${basePath}/board/queue/scans/${encodeURIComponent(`${library}.${eventId}`)}`;
  return html`<p class="quiet"><a href="${path}">This event on the queue board</a></p>`;
}

function facts({ basePath, state, nowMs, nameOf }: EventPage): readonly (readonly [string, HtmlValue])[] {
  const { waiting_for: waiting, problem, checkout } = state;
  const all: readonly (readonly [string, HtmlValue | undefined])[] = [
    [
      'Scanned at',
      html`<a href="${libraryPath(basePath, state.library)}">${nameOf(state.library)}</a>
        <span class="quiet">${state.library}</span>`,
    ],
    ['Scanned', timeElement(Date.parse(state.scanned_at), nowMs)],
    ['State', state.state],
    ['Outcome', state.outcome === null ? undefined : `${state.outcome} (${kindOf(state) ?? ''})`],
    ['Reasons', state.reasons.length === 0 ? undefined : state.reasons.join(', ')],
    ['Libraries', state.homes.length === 0 ? undefined : state.homes.map(({ name }) => name).join(', ')],
    ['Waits for', waiting === null ? undefined : `${nameOf(waiting.library)} (${words(waiting.reason)})`],
    ['Next try', nextTry(waiting, nowMs)],
    ['Problem', problem === null ? undefined : problemText(problem, nameOf)],
    ['Patron number there', state.patron_id ?? undefined],
    ['Checkout', checkout === null ? undefined : [checkout.result, ...checkout.keys].join(', ')],
    ['Attempt', state.attempt],
    ['Last change', timeElement(Date.parse(state.updated_at), nowMs)],
    ['Event id', html`<code>${state.event_id}</code>`],
  ];
  return all.flatMap(([term, value]) => (value === undefined ? [] : [[term, value] as const]));
}

function nextTry(waiting: EventState['waiting_for'], nowMs: number): Html | undefined {
  const at = waiting?.next_try_at ?? null;
  return at === null ? undefined : timeElement(Date.parse(at), nowMs);
}

function problemText(problem: NonNullable<EventState['problem']>, nameOf: EventPage['nameOf']): string {
  const name = problem.name === null ? '' : ` ${problem.name}`;
  return `${nameOf(problem.library)}: ${words(problem.what)}${name}`;
}

function words(code: string): string {
  return code.toLowerCase().replaceAll('_', ' ');
}

function actions(page: EventPage): Html | null {
  const { state, mayAct } = page;
  const isFailed = state.state === 'failed';
  const isWaiting = state.state === 'waiting';
  if (!isFailed && !isWaiting) return null;
  if (!mayAct)
    return html`<p class="quiet">Your login is read-only. An operator can retry or discard this event.</p>`;
  return html`<div class="actions">
    ${isFailed ? form(page, 'retry', 'Retry', 'primary') : form(page, 'promote', 'Try now', 'primary')}
    <details>
      <summary class="button">Discard …</summary>
      <p>
        ${isFailed ? 'It will not be retried, and' : 'The desk will get no result from it, and'} nobody can
        look at it any more.
      </p>
      ${form(page, 'discard', 'Discard permanently', 'danger')}
    </details>
  </div>`;
}

function form({ basePath, state }: EventPage, action: ActionName, label: string, kind: string): Html {
  return html`<form method="post" action="${eventPath(basePath, state.library, state.event_id)}/${action}">
    <button class="button ${kind}">${label}</button>
  </form>`;
}
