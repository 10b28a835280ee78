import {
  OPEN_FINDINGS,
  OPERATOR_PAGES,
  type OpenFindingCode,
  commandsFor,
  parsePatronNumber,
  patronPage,
} from '@passport/contract';
import { keepFindings } from '@passport/queue/copies';
import { type WorkItem, type Worklist, readWorklist } from '@passport/queue/sweeps';
import type { FastifyInstance } from 'fastify';
import type { KnownLibrary } from '../shell/known-libraries.ts';
import { OF_LIBRARY, requirePerson } from '../login/require-login.ts';
import { type Html, html } from '../shell/html.ts';
import type { SendPage } from '../shell/layout.ts';
import type { PageDeps } from '../shell/page-deps.ts';
import { table, timeElement } from '../shell/parts.ts';

/** Copies of one finding that a page shows; the command lists them all. */
const SHOWN = 200;

/** Where the page of a library's findings is. */
export const findingsPath = (basePath: string, library: string): string =>
  `${basePath}${OPERATOR_PAGES.findings(library)}`;

/** `/libraries/:library/findings`: the copies at a library that somebody has to look at; and that one is to stay as it is. */
export function registerFindingsPage(app: FastifyInstance, deps: PageDeps, send: SendPage): void {
  const { basePath, libraries, redis, now, log } = deps;
  const path = '/libraries/:library/findings';
  app.get<{ Params: { library: string } }>(path, OF_LIBRARY, async (request, reply) => {
    const library = libraries.find(({ id }) => id === request.params.library);
    if (library === undefined) return reply.callNotFound();
    const mayKeep = requirePerson(request).role === 'operator';
    const list = await readWorklist(redis, library.id);
    const title = `Copies to look at: ${library.name}`;
    const view = { basePath, library, list, mayKeep, nowMs: now() };
    return send(request, reply, { title, here: 'sweeps' }, findingsPage(view));
  });
  app.post<{ Params: { library: string; copy: string } }>(
    `${path}/:copy/keep`,
    OF_LIBRARY,
    async (request, reply) => {
      const { library, copy } = request.params;
      const patronId = parsePatronNumber(copy);
      const isKnown = libraries.some(({ id }) => id === library);
      if (!isKnown || patronId === null) return reply.callNotFound();
      const done = await keepFindings(redis, library, [patronId]);
      const line = { by: requirePerson(request).user, lending: library, patron_id: patronId, result: 'kept' };
      if (done.length > 0)
        log.info({ audit: true, action: 'copies_findings', ...line }, 'findings kept by a person');
      return reply.redirect(findingsPath(basePath, library), 303);
    },
  );
}

interface FindingsView {
  readonly basePath: string;
  readonly library: KnownLibrary;
  readonly list: Worklist;
  readonly mayKeep: boolean;
  readonly nowMs: number;
}

function findingsPage(view: FindingsView): Html {
  const { basePath, library, list, nowMs } = view;
  const codes = [...new Set(list.items.map(({ finding }) => finding))];
  return html`<p class="crumbs">
      <a href="${basePath}/sweeps?lending=${encodeURIComponent(library.id)}">Sweeps</a>
    </p>
    <div class="title">
      <h1>Copies to look at: ${library.name}</h1>
      <p class="quiet now">
        ${
          list.sweptMs === null
            ? 'By scans; no sweep has ended yet'
            : html`By the sweep that began ${timeElement(list.sweptMs, nowMs)}, and scans since`
        }
      </p>
    </div>
    ${
      list.unread.length === 0
        ? null
        : html`<p class="fault fault-warning" role="alert">
            ${
              list.unread.length === 1
                ? 'A home library did not answer, or hides its patrons: of its copies'
                : `${list.unread.length} home libraries did not answer, or hide their patrons: of their copies`
            }
            the list may lack some.
          </p>`
    }
    ${codes.length === 0 ? html`<section><p class="empty">Nothing is open.</p></section>` : null}
    ${codes.map((code) => section(code, view))}
    <p class="quiet">
      ${list.kept.length} kept as they are. "passport copies findings --at ${library.id}" lists the same.
    </p>`;
}

function section(code: OpenFindingCode, view: FindingsView): Html {
  const { library, list, nowMs } = view;
  const { says, advice } = OPEN_FINDINGS[code];
  const items = list.items.filter(({ finding }) => finding === code);
  const rows = items
    .slice(0, SHOWN)
    .map((item) => [
      patronLink(library, item),
      html`<code>${item.homeKey}</code>`,
      html`<span>
        ${timeElement(item.sinceMs, nowMs)}
        ${item.isNew ? html`<span class="state state-up">new</span>` : null}
      </span>`,
      html`<div class="commands">
        ${commandsFor(code, { lending: library.id, ...item }).map((command) => html`<code>${command}</code>`)}
        ${keepButton(item, view)}
      </div>`,
    ]);
  return html`<section aria-labelledby="${code}-title">
    <h2 id="${code}-title">${code} <span class="quiet">${items.length}</span></h2>
    <p>It means that ${says}.</p>
    <p>What to do: ${advice}.</p>
    ${table({ label: `Table: ${code}`, heads: ['Patron number', 'Home key', 'Since', 'Commands'], rows })}
    ${items.length > SHOWN ? html`<p class="quiet">And ${items.length - SHOWN} others.</p>` : null}
  </section>`;
}

const patronLink = ({ staffUrl = null }: KnownLibrary, { patronId }: WorkItem): Html =>
  staffUrl === null
    ? html`${patronId}`
    : html`<a href="${patronPage(staffUrl, patronId)}" rel="noreferrer">${patronId}</a>`;

const keepButton = ({ patronId }: WorkItem, { basePath, library, mayKeep }: FindingsView): Html | null =>
  mayKeep
    ? html`<form method="post" action="${findingsPath(basePath, library.id)}/${patronId}/keep">
        <button class="button">Keep as it is</button>
      </form>`
    : null;
