import { parsePatronNumber } from '@passport/contract';
import {
  type CopyElsewhere,
  amountText,
  elsewhereCsv,
  elsewhereTotals,
  readPatronElsewhere,
} from '@passport/queue/elsewhere';
import { buildSample } from '@passport/runtime';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { FILTERED, OF_LIBRARY, requirePerson } from '../login/require-login.ts';
import { type Html, html, type HtmlValue } from '../shell/html.ts';
import type { SendPage } from '../shell/layout.ts';
import { type PageDeps, librariesSeen } from '../shell/page-deps.ts';
import { choice, definitions, table, timeElement } from '../shell/parts.ts';
import { oneOf, pathWith } from '../shell/query-reader.ts';
import { buildPatronLists } from './patron-lists.ts';

const COPIES_A_PAGE = 200;
/** Looks of one account: a person needs few, and a program would push out of the audit what was done. */
const LOOKS = { most: 60, windowMs: 60_000 };

interface PatronsFilter {
  readonly lending: string | null;
  /** `overdue`: something is due and was not returned; `owing`: an amount is owed. */
  readonly owed: 'overdue' | 'owing' | null;
}

interface PatronsView extends Pick<PageDeps, 'basePath' | 'nameOf'> {
  readonly library: string;
  readonly copies: readonly CopyElsewhere[];
  readonly filter: PatronsFilter;
  /** Of the patron with which the page before ended. */
  readonly after: number;
  readonly nowMs: number;
}

type ListRequest = { Params: { library: string }; Querystring: Record<string, unknown> };

/** `/patrons`: where the patrons of a home library have copies, for that library; by its own patron numbers. */
export function registerPatronsPage(app: FastifyInstance, deps: PageDeps, send: SendPage): void {
  const { basePath, nameOf, redis, libraries } = deps;
  const lenders = libraries.map(({ id }) => id);
  const isKnown = (library: string): boolean => lenders.includes(library);
  const lists = buildPatronLists(deps);
  const readList = async (library: string, query: Readonly<Record<string, unknown>>) => {
    const filter = filterOf(query);
    return { filter, copies: (await lists(library)).filter((copy) => isWanted(copy, filter)) };
  };
  const { limit, audit } = buildLooks(deps, send);
  const ofPatrons = { ...OF_LIBRARY, preHandler: limit };
  app.get('/patrons', FILTERED, async (request, reply) => {
    const seen = librariesSeen(deps, requirePerson(request).libraries);
    return send(request, reply, { title: 'Patrons elsewhere', here: 'patrons' }, choicePage(basePath, seen));
  });
  app.get<ListRequest>('/patrons/:library', ofPatrons, async (request, reply) => {
    const { library } = request.params;
    const { query } = request;
    if (!isKnown(library)) return reply.callNotFound();
    const patron = oneOf(query['patron']);
    if (patron !== null && parsePatronNumber(patron) !== null)
      return reply.redirect(`${basePath}/patrons/${library}/${patron}`);
    const after = Number(oneOf(query['after']) ?? 0) || 0;
    const view = { basePath, nameOf, library, after, nowMs: deps.now(), ...(await readList(library, query)) };
    audit(request, { home: library, copies: view.copies.length });
    return send(
      request,
      reply,
      { title: `Patrons of ${nameOf(library)} elsewhere`, here: 'patrons' },
      listPage(view),
    );
  });
  app.get<ListRequest>('/patrons/:library/patrons.csv', ofPatrons, async (request, reply) => {
    const { library } = request.params;
    if (!isKnown(library)) return reply.callNotFound();
    const { copies } = await readList(library, request.query);
    audit(request, { home: library, copies: copies.length });
    return reply
      .type('text/csv; charset=utf-8')
      .header('cache-control', 'no-store')
      .header('content-disposition', `attachment; filename="patrons-elsewhere-${library}.csv"`)
      .send(`${elsewhereCsv(copies).join('\r\n')}\r\n`);
  });
  app.get<{ Params: { library: string; patron: string } }>(
    '/patrons/:library/:patron',
    ofPatrons,
    async (request, reply) => {
      const { library, patron } = request.params;
      const patronId = parsePatronNumber(patron);
      if (!isKnown(library) || patronId === null) return reply.callNotFound();
      const wanted = { home: library, patronId };
      const copies = await readPatronElsewhere(redis, wanted, lenders);
      // The number of nobody may be a card, typed by mistake.
      const whose = copies.length === 0 ? {} : { home_key: `${library}:${patron}` };
      audit(request, { home: library, ...whose, copies: copies.length });
      if (copies.length === 0) return reply.callNotFound();
      const title = `Patron ${patron} of ${nameOf(library)} elsewhere`;
      const back = html`<p><a href="${basePath}/patrons/${library}">All patrons elsewhere</a></p>`;
      const content = html`<div class="title"><h1>${title}</h1></div>
        ${back} ${copies.map((copy) => copySection(copy, { nameOf, nowMs: deps.now() }))}`;
      return send(request, reply, { title, here: 'patrons' }, content);
    },
  );
}

function choicePage(basePath: string, seen: ReturnType<typeof librariesSeen>): Html {
  const links = seen.map(
    ({ id, name }) =>
      html`<li><a href="${basePath}/patrons/${id}">${name}</a> <span class="quiet">${id}</span></li>`,
  );
  return html`<div class="title"><h1>Patrons elsewhere</h1></div>
    <p>Where the patrons of a home library have copies, and what went there:</p>
    <ul>
      ${links}
    </ul>`;
}

/** Lets an account look at patrons so often, with a line of the audit for each look. */
function buildLooks({ log, now }: Pick<PageDeps, 'log' | 'now'>, send: SendPage) {
  const mayLook = buildSample({ ...LOOKS, monotonicNow: now });
  return {
    async limit(request: FastifyRequest, reply: FastifyReply): Promise<void> {
      if (mayLook(requirePerson(request).user) !== null) return;
      const content = html`<div class="title"><h1>Too many looks at patrons</h1></div>
        <p>An account can look ${LOOKS.most} times a minute. Wait a minute, or download the list as CSV.</p>`;
      const page = { title: 'Too many looks at patrons', here: 'patrons' } as const;
      await send(request, reply.code(429).header('retry-after', LOOKS.windowMs / 1000), page, content);
    },
    audit(request: FastifyRequest, look: Readonly<Record<string, string | number>>): void {
      const line = { audit: true, action: 'copies_elsewhere', by: requirePerson(request).user };
      log.info({ ...line, ...look }, 'where patrons have copies, for a person');
    },
  };
}

function filterOf(query: Readonly<Record<string, unknown>>): PatronsFilter {
  const owed = oneOf(query['owed']);
  return { lending: oneOf(query['lending']), owed: owed === 'overdue' || owed === 'owing' ? owed : null };
}

function isWanted({ lending, owed }: CopyElsewhere, filter: PatronsFilter): boolean {
  if (filter.lending !== null && lending !== filter.lending) return false;
  if (filter.owed === null) return true;
  return (filter.owed === 'overdue' ? (owed?.overdues ?? 0) : (owed?.amount ?? 0)) > 0;
}

const plural = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`;
const unknown = html`<span class="quiet">not known</span>`;
const timeOf = (ms: number | null, nowMs: number): Html => (ms === null ? unknown : timeElement(ms, nowMs));

function listPage(view: PatronsView): Html {
  const { basePath, nameOf, library, copies, filter, after, nowMs } = view;
  const path = `${basePath}/patrons/${library}`;
  // A page ends with a patron, not between two copies of one.
  const left = copies.filter(({ patronId }) => patronId > after);
  const last = left[COPIES_A_PAGE - 1]?.patronId;
  const shown = left.length <= COPIES_A_PAGE ? left : left.filter(({ patronId }) => patronId <= (last ?? 0));
  const query = { lending: filter.lending, owed: filter.owed };
  const lenders = elsewhereTotals(copies);
  const patrons = new Set(copies.map(({ patronId }) => patronId)).size;
  const counted = `${plural(patrons, 'patron', 'patrons')}, ${plural(copies.length, 'copy', 'copies')}`;
  return html`<div class="title">
      <h1>Patrons of ${nameOf(library)} elsewhere</h1>
      <p class="quiet now">${counted}</p>
      <a class="button" href="${pathWith(`${path}/patrons.csv`, query)}">Download as CSV</a>
    </div>
    <form class="filter" method="get" action="${path}" aria-label="Filter">
      <label>Patron number <input name="patron" inputmode="numeric" pattern="[0-9]*" /></label>
      ${choice(
        'lending',
        'Lending library',
        lenders.map(({ lending }) => [lending, nameOf(lending)]),
        filter.lending,
      )}
      ${choice(
        'owed',
        'Owed',
        [
          ['overdue', 'something overdue'],
          ['owing', 'an amount'],
        ],
        filter.owed,
      )}
      <button class="button">Filter</button>
      ${filter.lending === null && filter.owed === null ? null : html`<a href="${path}">Clear</a>`}
    </form>
    ${totalsTable(view)}
    <section aria-labelledby="copies-title">
      <h2 id="copies-title">Copies</h2>
      ${
        shown.length === 0
          ? html`<p class="empty">No copies are on record.</p>`
          : table({
              label: 'Table: Copies',
              heads: [
                'Patron',
                'Lending library',
                'Since',
                'Last passed on',
                'Fields',
                ['Overdue', 'number'],
                ['Owed', 'number'],
              ],
              rows: shown.map((copy) => rowOf(copy, { path, nameOf, nowMs })),
            })
      }
    </section>
    ${
      shown.length === left.length
        ? null
        : html`<nav class="pager" aria-label="Pages">
            <a class="button" href="${pathWith(path, { ...query, after: String(last ?? 0) })}">Next</a>
          </nav>`
    }
    <p class="quiet">
      Copies that the service made and has on record, by patron number at ${nameOf(library)}. What is owed is
      as it was read last, in the lending library's currency; it is empty where that library does not say.
    </p>`;
}

function rowOf(
  { patronId, lending, sinceMs, passedMs, fields, owed }: CopyElsewhere,
  { path, nameOf, nowMs }: { path: string; nameOf: PageDeps['nameOf']; nowMs: number },
): readonly HtmlValue[] {
  return [
    html`<a href="${path}/${patronId}">${patronId}</a>`,
    nameOf(lending),
    timeOf(sinceMs, nowMs),
    timeOf(passedMs, nowMs),
    html`<details>
      <summary>${plural(fields.length, 'field', 'fields')}</summary>
      ${fields.join(', ')}
    </details>`,
    owed === null ? '' : owed.overdues,
    owed === null ? '' : amountText(owed.amount),
  ];
}

function totalsTable({ nameOf, copies }: PatronsView): Html | null {
  const totals = elsewhereTotals(copies);
  if (totals.length === 0) return null;
  return html`<section aria-labelledby="totals-title">
    <h2 id="totals-title">By lending library</h2>
    ${table({
      label: 'Table: Totals',
      heads: ['Lending library', ['Copies', 'number'], ['Overdue', 'number'], ['Owed', 'number']],
      rows: totals.map(({ lending, copies: count, overdues, amount }) => [
        nameOf(lending),
        count,
        overdues,
        amountText(amount),
      ]),
    })}
  </section>`;
}

function copySection(
  { lending, sinceMs, passedMs, fields, isAgreed, owed }: CopyElsewhere,
  { nameOf, nowMs }: Pick<PatronsView, 'nameOf' | 'nowMs'>,
): Html {
  return html`<section>
    <h2>${nameOf(lending)}</h2>
    ${definitions('facts', [
      ['Copy since', timeOf(sinceMs, nowMs)],
      ['Last passed on', timeOf(passedMs, nowMs)],
      ['Fields', fields.join(', ')],
      ['Consent', isAgreed ? 'the patron agreed there' : undefined],
      ['Overdue', owed?.overdues],
      ['Owed', owed === null ? undefined : amountText(owed.amount)],
      ['Read', owed === null ? undefined : timeElement(owed.readMs, nowMs)],
    ])}
  </section>`;
}
