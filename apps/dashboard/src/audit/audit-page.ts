import {
  actJson,
  type ActName,
  ACTS,
  actsCsv,
  detailsText,
  findActs,
  type FoundActs,
  isActPlace,
  type ListedAct,
} from '@passport/queue/audit';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { eventPath } from '../events/event-list.ts';
import { type Html, html } from '../shell/html.ts';
import type { SendPage } from '../shell/layout.ts';
import { librariesSeen, type PageDeps } from '../shell/page-deps.ts';
import { choice, filterForm, pager, problemList, table, timeElement } from '../shell/parts.ts';
import { boundsOf, pathWith, readQuery } from '../shell/query-reader.ts';
import { FILTERED, requirePerson } from '../login/require-login.ts';
import { sees } from '../login/login.ts';

const SHOWN = 50;
/** Of a download: more than are kept. */
const ALL = 100_000;
type Wanted = FastifyRequest<{ Querystring: Readonly<Record<string, unknown>> }>;

/** Who did what and when: a page, and the same as CSV and as JSON. */
export function registerAuditPage(app: FastifyInstance, deps: PageDeps, send: SendPage): void {
  const { basePath, nameOf, now, redis } = deps;
  /** Null: a library is named that is not theirs. */
  const read = (request: Wanted): AuditQueryReading | null => {
    const person = requirePerson(request);
    const named = request.query['library'];
    if ([named].flat().some((one) => typeof one === 'string' && one !== '' && !sees(person, one)))
      return null;
    return readAuditQuery(
      request.query,
      librariesSeen(deps, person.libraries).map(({ id }) => id),
    );
  };
  const find = (request: FastifyRequest, { query }: AuditQueryReading, most: number): Promise<FoundActs> => {
    const { libraries: among } = requirePerson(request);
    const { library, by, act, after } = query;
    return findActs(redis, {
      among: among === 'all' ? null : among,
      library,
      by,
      act,
      after,
      ...boundsOf(query),
      most,
    });
  };
  const download = async (
    request: Wanted,
    reply: FastifyReply,
    { format, write }: { format: 'csv' | 'json'; write: (found: FoundActs) => string },
  ): Promise<FastifyReply> => {
    const reading = read(request);
    if (reading === null) return notFound(reply);
    if (reading.problems.length > 0)
      return reply
        .code(400)
        .type('text/plain; charset=utf-8')
        .send(`${reading.problems.join('\n')}\n`);
    const found = await find(request, reading, ALL);
    return reply
      .type(format === 'csv' ? 'text/csv; charset=utf-8' : 'application/json; charset=utf-8')
      .header('content-disposition', `attachment; filename="passport-audit.${format}"`)
      .send(write(found));
  };

  app.get('/audit', FILTERED, async (request: Wanted, reply) => {
    const reading = read(request);
    if (reading === null) return notFound(reply);
    const found = await find(request, reading, SHOWN);
    const libraries = librariesSeen(deps, requirePerson(request).libraries);
    const content = auditPage({ basePath, nameOf, nowMs: now(), reading, found, libraries });
    const page = { title: 'Audit', here: 'audit' } as const;
    return send(request, reply.code(reading.problems.length === 0 ? 200 : 400), page, content);
  });
  app.get('/audit.csv', FILTERED, (request: Wanted, reply) =>
    download(request, reply, {
      format: 'csv',
      write: ({ acts }) => `${actsCsv(acts).join('\r\n')}\r\n`,
    }),
  );
  app.get('/audit.json', FILTERED, (request: Wanted, reply) =>
    download(request, reply, {
      format: 'json',
      write: ({ acts }) => JSON.stringify({ acts: acts.map(actJson) }),
    }),
  );
}

/** As for an address that does not exist. */
function notFound(reply: FastifyReply): FastifyReply {
  reply.callNotFound();
  return reply;
}

/** Which acts the list is to show, as its address says it. */
interface AuditQuery {
  readonly library: string | null;
  /** An account. */
  readonly by: string | null;
  readonly act: ActName | null;
  /** `YYYY-MM-DDTHH:MM` in the time zone of the service. */
  readonly from: string | null;
  readonly until: string | null;
  /** Where the page begins. */
  readonly after: string | null;
}

/** A query, and what in it cannot be understood: the field, and what it takes. */
interface AuditQueryReading {
  readonly query: AuditQuery;
  readonly problems: readonly string[];
}

const LONGEST_ACCOUNT = 200;

/** Reads the parameters of the list of acts. */
function readAuditQuery(
  parameters: Readonly<Record<string, unknown>>,
  libraries: readonly string[],
): AuditQueryReading {
  const { problems, text, known, time } = readQuery(parameters);
  const after = text('after');
  const by = text('by');
  const isPlace = after === null || isActPlace(after);
  const isAccount = by === null || by.length <= LONGEST_ACCOUNT;
  const query = {
    library: known('library', libraries, 'no library'),
    by: isAccount ? by : null,
    act: known('act', ACTS, `none of ${ACTS.join(', ')}`),
    from: time('from'),
    until: time('until'),
    after: isPlace ? after : null,
  };
  const faults = [
    ...(isAccount ? [] : ['by is too long for the name of an account.']),
    ...(isPlace ? [] : ['after is no place in this list.']),
  ];
  return { query, problems: [...problems, ...faults] };
}

/** The address of the list for a query, or of a download of it. */
const auditPath = (basePath: string, query: Partial<AuditQuery>, format: '' | '.csv' | '.json' = '') =>
  pathWith(`${basePath}/audit${format}`, { ...query });

interface AuditView {
  readonly basePath: string;
  readonly nameOf: (library: string) => string;
  readonly nowMs: number;
  readonly reading: AuditQueryReading;
  readonly found: FoundActs;
  /** Those that may be chosen. */
  readonly libraries: readonly { readonly id: string; readonly name: string }[];
}

/** What somebody did to an event, which has a page. */
const OF_AN_EVENT: readonly string[] = ['retry', 'promote', 'discard'];
const SOURCES: Readonly<Record<string, string>> = {
  cli: 'command',
  dashboard: 'dashboard',
  worker: 'service',
};

/** Who did what and when, the newest first, by library, account, act and time. */
function auditPage(view: AuditView): Html {
  const { basePath, reading, found } = view;
  const { query, problems } = reading;
  const download = { ...query, after: null };
  return html`<div class="title">
      <h1>Audit</h1>
      <p class="quiet now">What was done with the command, on the dashboard and by the service itself</p>
      <a class="button" href="${auditPath(basePath, download, '.csv')}">Download as CSV</a>
      <a class="button" href="${auditPath(basePath, download, '.json')}">Download as JSON</a>
    </div>
    ${filterOf(view)} ${problemList(problems)}
    ${
      found.acts.length === 0
        ? html`<p class="empty">${isFiltered(query) ? 'Nothing fits.' : 'Nothing was done so far.'}</p>`
        : actTable(view)
    }
    ${pager({
      pathAt: (after) => auditPath(basePath, { ...query, after }),
      after: query.after,
      next: found.next,
      count: found.acts.length,
      what: 'act',
    })}
    <p class="quiet">
      Names are those of staff accounts. Scans are under <a href="${basePath}/events">Events</a>, each with
      its history.
    </p>`;
}

const isFiltered = (query: AuditQuery): boolean => Object.values(query).some((value) => value !== null);

function filterOf({ basePath, reading: { query }, libraries }: AuditView): Html {
  const path = `${basePath}/audit`;
  const account = html`<label>
    Account
    <input
      name="by"
      value="${query.by ?? ''}"
      maxlength="200"
      autocomplete="off"
      spellcheck="false"
      size="12"
    />
  </label>`;
  const acts = ACTS.map((act) => [act, textOf(act)] as const);
  const fields = [account, choice('act', 'Act', acts, query.act)];
  return filterForm({
    path,
    query,
    libraries,
    fields,
    from: 'From',
    clearPath: isFiltered(query) ? path : null,
  });
}

const HEADS = ['When', 'Who', 'What', 'Library', 'Result'];

function actTable(view: AuditView): Html {
  const rows = view.found.acts.map((act) => row(act, view));
  return table({ label: 'Table: Acts', className: 'libraries audit', heads: HEADS, rows });
}

function row(act: ListedAct, { basePath, nameOf, nowMs }: AuditView): readonly Html[] {
  const { by, source, libraries, homes, event, result, count } = act;
  const [library] = libraries;
  const names = libraries.map(nameOf).join(', ');
  const ofHomes = homes.filter((home) => !libraries.includes(home)).map(nameOf);
  const hasPage = event !== null && library !== undefined && OF_AN_EVENT.includes(act.act);
  const details = detailsText(act);
  return [
    timeElement(act.atMs, nowMs),
    html`<div>
      ${by ?? html`<span class="quiet">${['worker', 'receiver'].includes(source) ? 'the service' : 'unknown account'}</span>`}
      ${by === null ? null : html`<span class="quiet">${SOURCES[source] ?? source}</span>`}
    </div>`,
    html`<div>
      ${textOf(act.act)}
      ${hasPage ? html`<a class="quiet" href="${eventPath(basePath, library, event)}">${event}</a>` : null}
    </div>`,
    html`<div>
      ${names === '' ? html`<span class="quiet">–</span>` : names}
      ${ofHomes.length === 0 ? null : html`<span class="quiet">patrons of ${ofHomes.join(', ')}</span>`}
    </div>`,
    html`<div>
      ${result === null ? null : html`<code>${result}</code>`}
      ${result === null && count === 1 && details === '' ? html`<span class="quiet">–</span>` : null}
      ${count === 1 ? null : html`<span>${count} times</span>`}
      ${details === '' ? null : html`<span class="quiet">${details}</span>`}
    </div>`,
  ];
}

/** `copies_delete` is the command `copies delete`. */
const textOf = (act: string): string => act.replace('_', ' ');
