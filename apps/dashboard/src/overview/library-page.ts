import { OPERATOR_PAGES, setUpFindingText, setUpSection } from '@passport/contract';
import { ANY_EVENT, findEvents, type ListedEvent } from '@passport/queue/events';
import { type LibraryState, readLibraryStates } from '@passport/queue/processes';
import { type EventCounts, countEvents } from '@passport/queue/scans';
import { type OutcomeCount, readOutcomeCounts } from '@passport/queue/statistics';
import { type SetUpSeen, isSilence, readSetUps } from '@passport/queue/sweeps';
import type { FastifyInstance } from 'fastify';
import { eventList } from '../events/event-list.ts';
import { eventsPath } from '../events/events-page.ts';
import { hoursOf, outcomeChart, outcomeTotals, totalsOf } from '../outcomes/outcome-chart.ts';
import { endpointSection, type EndpointState, readEndpoints } from './endpoint-section.ts';
import { asSeen } from './read-overview.ts';
import { type Html, html, type HtmlValue } from '../shell/html.ts';
import type { SendPage } from '../shell/layout.ts';
import type { PageDeps } from '../shell/page-deps.ts';
import { definitions, millisecondsText, tile, timeElement } from '../shell/parts.ts';
import { findingsPath } from '../sweeps/findings-page.ts';
import type { KnownLibrary, LibraryWarning } from '../shell/known-libraries.ts';
import { pauseNotes, stateDetail, statePill, stateSection } from './library-state.ts';
import { isHeld, pauseForm } from './pause-form.ts';
import { pausesOf, readPauses, type ShownPause } from './read-pauses.ts';
import { OF_LIBRARY, requirePerson } from '../login/require-login.ts';
import { type Person, sees } from '../login/login.ts';

/** One library: how its Koha is, its own scans, who waits for it, and where more of it is. */
function libraryPage(basePath: string, view: LibraryView): Html {
  const { library, nowMs, outcomes } = view;
  const id = encodeURIComponent(library.id);
  return html`<p class="crumbs"><a href="${basePath}/">Overview</a></p>
    <div class="title">
      <h1>${library.name}</h1>
      <span class="now">${statePill(library.enabled, view.state)}</span>
    </div>
    ${view.mayAct && library.enabled ? pauseForm(basePath, library.id, view) : null} ${tiles(basePath, view)}
    ${facts(basePath, view)} ${setUpFindings(basePath, view)} ${warnings(library.warnings ?? [])}
    <div class="columns">
      <section aria-labelledby="outcomes-title">
        <h2 id="outcomes-title">Outcomes of the last day at its desks</h2>
        ${outcomeChart(hoursOf(outcomes, nowMs))} ${outcomeTotals(totalsOf(outcomes))}
      </section>
      <section aria-labelledby="failed-title">
        <h2 id="failed-title">Its failed scans</h2>
        ${
          view.failed.length === 0
            ? html`<p class="empty">No scan at its desks has failed, of those that are kept.</p>`
            : html`${eventList(basePath, view.failed, nowMs)}
                <p>
                  <a href="${eventsPath(basePath, { state: 'failed', library: library.id })}">All of them</a>
                </p>`
        }
        <h3 class="apart">Scans waiting for it</h3>
        ${
          view.waitingForIt.length === 0
            ? html`<p class="empty">No scan waits for this library.</p>`
            : eventList(basePath, view.waitingForIt, nowMs)
        }
      </section>
    </div>
    ${endpointSection(view.endpoints, nowMs)}
    <p class="quiet">
      <a href="${basePath}/statistics?lending=${id}">Statistics as lending library</a> ·
      <a href="${basePath}/statistics?home=${id}">as home library</a> ·
      <a href="${basePath}/sweeps?lending=${id}">Sweeps over its copies</a> ·
      <a href="${findingsPath(basePath, library.id)}">Copies to look at</a>
    </p>`;
}

function tiles(basePath: string, { jobs, library }: LibraryView): Html {
  const states = [
    ['queued', 'in the queue'],
    ['working', 'in progress'],
    ['waiting', 'waiting'],
    ['failed', 'failed'],
    ['done', 'done'],
  ] as const;
  return html`<ul class="tiles" aria-label="Its scans now">
    ${states.map(([state, label]) =>
      tile(label, jobs[state], null, {
        className: `tile-${state}`,
        path: eventsPath(basePath, { state, library: library.id }),
      }),
    )}
  </ul>`;
}

function facts(basePath: string, { library, state, pauses, setUp, nowMs }: LibraryView): Html {
  const detail = stateDetail(library.enabled, state, nowMs);
  const section = stateSection(library.enabled, state);
  const toDo =
    section === null
      ? null
      : html`<a href="${basePath}${OPERATOR_PAGES.runbook(section)}">what to do: the runbook</a>`;
  const all: readonly (readonly [string, HtmlValue])[] = [
    ['Library id', html`<code>${library.id}</code>`],
    ['State', html`${statePill(library.enabled, state)} ${detail} ${toDo} ${pauseNotes(pauses, nowMs)}`],
    ['Last success', timeElement(state.lastSuccessMs, nowMs, 'none known')],
    ['Last failure', lastFailure(state.lastFailure, state.lastFailureMs, nowMs)],
    ['Answers in', millisecondsText(state.answerMs)],
    ['Set-up', setUpFact(setUp, nowMs)],
  ];
  return definitions('facts apart', all);
}

function lastFailure(code: string | null, atMs: number | null, nowMs: number): HtmlValue {
  return atMs === null ? 'none known' : html`${code ?? 'failure'}, ${timeElement(atMs, nowMs)}`;
}

/** When its set-up was checked last, and whether anything was wrong. */
function setUpFact(setUp: SetUpSeen | null, nowMs: number): HtmlValue {
  if (setUp === null) return 'not checked yet: that is done once a night';
  const { unchecked_since_ms: uncheckedMs, at_ms: atMs } = setUp;
  if (uncheckedMs === undefined) return checkedFact(setUp, nowMs);
  const silence = setUp.findings.find(isSilence);
  const because = silence === undefined ? '' : `: ${setUpFindingText(silence.code, silence.name)}`;
  const before = atMs === null ? null : html`; last checked ${timeElement(atMs, nowMs)}`;
  return html`unchecked since ${timeElement(uncheckedMs, nowMs)}${because}${before}`;
}

function checkedFact(setUp: SetUpSeen, nowMs: number): HtmlValue {
  const wrong = setUp.findings.filter(({ level }) => level !== 'unchecked').length;
  const result = wrong === 0 ? 'nothing wrong' : `${wrong} ${wrong === 1 ? 'finding' : 'findings'}`;
  return html`${result}, checked ${timeElement(setUp.at_ms, nowMs)}`;
}

/** What the nightly check of its set-up found; what exactly it is, and what to do, says doctor. */
function setUpFindings(basePath: string, { library, setUp }: LibraryView): Html | null {
  const findings = (setUp?.findings ?? []).filter(({ level }) => level !== 'unchecked');
  if (findings.length === 0) return null;
  return html`<div class="advice" role="note" aria-label="Findings of the check of its set-up">
    <ul>
      ${findings.map(({ level, code, name }) => {
        const path = `${basePath}${OPERATOR_PAGES.runbook(setUpSection(code))}`;
        return html`<li>${level}: <a href="${path}">${setUpFindingText(code, name)}</a></li>`;
      })}
    </ul>
    <p>What to do about each: <code>passport doctor ${library.id}</code></p>
  </div>`;
}

function warnings(lines: readonly LibraryWarning[]): Html | null {
  if (lines.length === 0) return null;
  return html`<div class="advice" role="note" aria-label="Warnings about the configuration">
    <ul>
      ${lines.map(({ text }) => html`<li>${text}</li>`)}
    </ul>
  </div>`;
}

/** Everything that the page of one library shows. */
interface LibraryView {
  readonly nowMs: number;
  readonly mayAct: boolean;
  readonly library: KnownLibrary;
  readonly state: LibraryState;
  readonly pauses: readonly ShownPause[];
  /** What the last nightly check of its set-up found; null: there was none. */
  readonly setUp: SetUpSeen | null;
  /** A pause of it is not theirs to end. */
  readonly held: boolean;
  /** Its own scans, as lending library. */
  readonly jobs: EventCounts;
  readonly outcomes: readonly OutcomeCount[];
  readonly failed: readonly ListedEvent[];
  /** Scans that wait for it to answer, of the lending libraries that somebody may see; the newest. */
  readonly waitingForIt: readonly ListedEvent[];
  /** Where operators are notified of it, as far as somebody may see. */
  readonly endpoints: readonly EndpointState[];
}

const MOST_FAILED = 10;
const MOST_WAITING = 10;
const MOST_LOOKED = 500;

/** `/libraries/{library}`. */
export function registerLibraryPage(app: FastifyInstance, deps: PageDeps, send: SendPage): void {
  app.get<{ Params: { library: string } }>('/libraries/:library', OF_LIBRARY, async (request, reply) => {
    const view = await readLibraryView(deps, request.params.library, requirePerson(request));
    if (view === null) return reply.callNotFound();
    return send(request, reply, { title: view.library.name, here: null }, libraryPage(deps.basePath, view));
  });
}

/** Reads one library's page; null when the configuration has no such library. Rejects when Redis does not answer. */
async function readLibraryView(
  { redis, queue, libraries, endpoints: known, nameOf, now }: PageDeps,
  id: string,
  person: Person,
): Promise<LibraryView | null> {
  const { libraries: scope, role } = person;
  const library = libraries.find((each) => each.id === id);
  if (library === undefined) return null;
  const nowMs = now();
  const ofIt = known.filter((endpoint) => sees(endpoint, id));
  const [[state], jobs, outcomes, failed, waiting, pauses, endpoints, setUps] = await Promise.all([
    readLibraryStates(redis, [id], nowMs),
    countEvents(redis, queue, [id]),
    readOutcomeCounts(redis, nowMs),
    findEvents(redis, queue, nameOf, { ...ANY_EVENT, state: 'failed', libraries: [id], most: MOST_FAILED }),
    findEvents(redis, queue, nameOf, {
      ...ANY_EVENT,
      state: 'waiting',
      libraries: scope === 'all' ? null : scope,
      most: MOST_LOOKED,
    }),
    readPauses(redis, nowMs),
    readEndpoints(redis, ofIt, scope),
    readSetUps(redis),
  ]);
  if (state === undefined) return null;
  return {
    nowMs,
    mayAct: role === 'operator',
    library: asSeen(library, scope),
    state,
    pauses: pausesOf(library, pauses, nowMs),
    setUp: setUps.get(id) ?? null,
    held: isHeld(person, id, pauses),
    jobs,
    outcomes: outcomes.filter((row) => row.library === id),
    failed: failed.events,
    endpoints,
    waitingForIt: waiting.events.filter((event) => waitsFor(event, id)).slice(0, MOST_WAITING),
  };
}

function waitsFor(event: ListedEvent, id: string): boolean {
  return event.kind === 'event' && event.state.waiting_for?.library === id;
}
