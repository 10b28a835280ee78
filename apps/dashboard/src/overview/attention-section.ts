import { CONDITION_WORDS, isWell } from '@passport/queue/processes';
import { type ServiceFinding, sectionOf } from '@passport/queue/service';
import { eventList } from '../events/event-list.ts';
import { type Html, html } from '../shell/html.ts';
import { libraryPath } from '../shell/parts.ts';
import { stateSection } from './library-state.ts';
import type { LibraryLine, Overview } from './read-overview.ts';

/** What an operator has to act on, the gravest first: the service, libraries, failed events. The first block of the overview. */
export function attentionSection(basePath: string, overview: Overview): Html {
  const { service, libraries } = overview;
  const nameOf = new Map(libraries.map(({ id, name }) => [id, name]));
  const unwell = libraries.filter(({ enabled, state }) => enabled && !isWell(state));
  return html`<section aria-labelledby="attention-title">
    <h2 id="attention-title">Needs attention</h2>
    ${service.findings.map((finding) => findingLine(basePath, finding, nameOf))}
    ${unwell.map((library) => libraryLine(basePath, library))} ${failedEvents(basePath, overview)}
  </section>`;
}

function findingLine(basePath: string, finding: ServiceFinding, nameOf: ReadonlyMap<string, string>): Html {
  const { level, library, problem, remedy } = finding;
  const isFault = level === 'fault';
  const subject =
    library === null
      ? null
      : html`<a href="${libraryPath(basePath, library)}">${nameOf.get(library) ?? library}</a> `;
  return html`<p class="fault ${isFault ? 'fault-grave' : 'fault-warning'}">
    <strong>${isFault ? 'Problem' : 'Warning'}:</strong> ${subject}${problem}. <em>What to do:</em> ${remedy}
    (<a href="${basePath}/runbook#${sectionOf(finding)}">runbook</a>).
  </p>`;
}

function libraryLine(basePath: string, { id, name, enabled, state, waitedFor }: LibraryLine): Html {
  const scans = waitedFor === 1 ? '1 scan waits' : `${waitedFor} scans wait`;
  const section = stateSection(enabled, state);
  return html`<p class="fault fault-warning">
    <strong>Warning:</strong> <a href="${libraryPath(basePath, id)}">${name}</a> is
    ${CONDITION_WORDS[state.condition]}${
      waitedFor === 0 ? '' : ` (${scans} for it)`
    }${section === null ? '.' : html` (<a href="${basePath}/runbook#${section}">runbook</a>).`}
  </p>`;
}

function failedEvents(basePath: string, overview: Overview): Html | null {
  const { failed, figures, nowMs, service, libraries } = overview;
  if (failed.length > 0) {
    const more =
      figures.jobs.failed > failed.length
        ? html`<p><a href="${basePath}/events?state=failed">All ${figures.jobs.failed} failed events</a></p>`
        : null;
    return html`${eventList(basePath, failed, nowMs)} ${more}`;
  }
  const isCalm =
    service.findings.length === 0 && libraries.every(({ enabled, state }) => !enabled || isWell(state));
  return html`<p class="empty">
    ${
      isCalm
        ? 'Nothing: no scan has failed, the service runs, and every library that was needed answers.'
        : 'No scan has failed so far.'
    }
  </p>`;
}
