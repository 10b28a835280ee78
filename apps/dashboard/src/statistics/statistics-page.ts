import {
  NO_HOME,
  OTHER_HOMES,
  STATISTICS_DIMENSIONS,
  type StatisticsCount,
  type StatisticsDimension,
  type StatisticsRow,
  type StatisticsSums,
  lastMonths,
  monthOf,
  readLoans,
  readLoansCounted,
  readStatistics,
  settle,
  settlementCsv,
  statisticsCsv,
  sumStatistics,
} from '@passport/queue/statistics';
import type { FastifyInstance } from 'fastify';
import { loansSection } from './loans-section.ts';
import { type Bar, barChart } from '../outcomes/bar-chart.ts';
import { OCCASIONAL } from '../outcomes/outcome-chart.ts';
import { type Html, html } from '../shell/html.ts';
import type { SendPage } from '../shell/layout.ts';
import type { PageDeps } from '../shell/page-deps.ts';
import { definitions, table, tile } from '../shell/parts.ts';
import { oneOf } from '../shell/query-reader.ts';
import { FILTERED, requirePerson } from '../login/require-login.ts';
import { type Person, sees } from '../login/login.ts';

/** What the page is about: all libraries, or one as lending or as home library. */
interface StatisticsFilter {
  readonly home: string | null;
  readonly lending: string | null;
}

interface StatisticsView {
  readonly basePath: string;
  readonly nameOf: (library: string) => string;
  /** Oldest first; the last is the one that goes on. */
  readonly months: readonly string[];
  readonly counts: readonly StatisticsCount[];
  readonly filter: StatisticsFilter;
  readonly loans: Html | null;
}

/** Of statistics; `passport stats` lists all that is kept. */
const MONTHS_SHOWN = 12;

/** `/statistics`, by home or lending library, and the same as CSV. */
export function registerStatisticsPage(app: FastifyInstance, deps: PageDeps, send: SendPage): void {
  const { basePath, nameOf, redis } = deps;
  const months = (): string[] => lastMonths(monthOf(new Date(deps.now()).toISOString()), MONTHS_SHOWN);
  /** Of what was scanned at the libraries that somebody sees, wherever the patrons are at home. */
  const countsFor = async (person: Person, shown: readonly string[]): Promise<readonly StatisticsCount[]> =>
    (await readStatistics(redis, shown)).filter(({ lending }) => sees(person, lending));
  /** Loans of the libraries that somebody sees: theirs as lending library, and those of their patrons, both by month only. */
  const loansFor = async (person: Person, shown: readonly string[]) => {
    const lenders = deps.libraries.filter(({ isCounted }) => isCounted === true).map(({ id }) => id);
    const counted = await readLoansCounted(redis, lenders);
    const pairs = settle(await readLoans(redis, shown), counted);
    const isTheirs = (library: string): boolean => sees(person, library);
    return {
      counted: new Map([...counted].filter(([library]) => isTheirs(library))),
      pairs: pairs.filter(({ home, lending }) => isTheirs(home) || isTheirs(lending)),
    };
  };
  app.get<{ Querystring: { home?: string; lending?: string; month?: string } }>(
    '/statistics',
    FILTERED,
    async (request, reply) => {
      const shown = months();
      const { home, lending } = request.query;
      const filter = { home: oneOf(home), lending: oneOf(lending) };
      const person = requirePerson(request);
      const counts = await countsFor(person, shown);
      if (!mayFilterBy(person, filter, counts)) return reply.callNotFound();
      const wanted = oneOf(request.query.month);
      const month = shown.find((each) => each === wanted) ?? null;
      const loans = isFiltered(filter)
        ? null
        : loansSection({ basePath, nameOf, months: shown, month, ...(await loansFor(person, shown)) });
      const view = { basePath, nameOf, months: shown, counts, filter, loans };
      return send(request, reply, { title: 'Statistics', here: 'statistics' }, statisticsPage(view));
    },
  );
  app.get('/statistics.csv', FILTERED, async (request, reply) => {
    const counts = await countsFor(requirePerson(request), months());
    const rows = sumStatistics(counts, STATISTICS_DIMENSIONS);
    return reply
      .type('text/csv; charset=utf-8')
      .header('content-disposition', 'attachment; filename="passport-statistics.csv"')
      .send(`${statisticsCsv(rows, STATISTICS_DIMENSIONS).join('\r\n')}\r\n`);
  });
  app.get('/statistics/settlement.csv', FILTERED, async (request, reply) => {
    const { pairs } = await loansFor(requirePerson(request), months());
    return reply
      .type('text/csv; charset=utf-8')
      .header('content-disposition', 'attachment; filename="passport-settlement.csv"')
      .send(`${settlementCsv(pairs).join('\r\n')}\r\n`);
  });
}

/** Whoever sees some libraries may name those, and the homes of patrons who were scanned there. */
function mayFilterBy(
  person: Person,
  { home, lending }: StatisticsFilter,
  counts: readonly StatisticsCount[],
): boolean {
  if (person.libraries === 'all') return true;
  const isHomeOfTheirs = home === null || sees(person, home) || counts.some((count) => count.home === home);
  return isHomeOfTheirs && (lending === null || sees(person, lending));
}

const NOTHING: StatisticsSums = {
  scans: 0,
  copies: 0,
  alreadyLocal: 0,
  observed: 0,
  checkouts: 0,
  declined: 0,
  refusals: 0,
  failures: 0,
  byOutcome: {},
  byReason: {},
  byOverride: {},
};
/** How scans end, in the chart. */
const SERIES = [
  { name: 'copied', className: 'group-served', read: ({ copies }) => copies },
  { name: 'already there', className: 'group-already-there', read: ({ alreadyLocal }) => alreadyLocal },
  { name: 'observed', className: 'group-observed', read: ({ observed }) => observed },
  { name: 'declined', className: 'group-declined', read: ({ declined }) => declined },
  { name: 'refused', className: 'group-desk-decides', read: ({ refusals }) => refusals },
  { name: 'failed', className: 'group-failed', read: ({ failures }) => failures },
] as const satisfies readonly {
  readonly name: string;
  readonly className: string;
  readonly read: (sums: StatisticsSums) => number;
}[];
/** On a small screen the axis names every fourth month, the last one among them. */
const MONTHS_BETWEEN_TICKS = 4;

/** What happened in the last months: a chart, the figures, and tables by home and by lending library. */
function statisticsPage(view: StatisticsView): Html {
  const { basePath, months, filter } = view;
  const counts = view.counts.filter(
    ({ home, lending }) =>
      (filter.home === null || home === filter.home) &&
      (filter.lending === null || lending === filter.lending),
  );
  const sums = sumStatistics(counts, [])[0] ?? NOTHING;
  return html`<div class="title">
      <h1>${titleOf(view)}</h1>
      <p class="quiet now">${months.at(0) ?? ''} to ${months.at(-1) ?? ''}, by months in UTC</p>
      ${
        isFiltered(filter)
          ? html`<a class="button" href="${basePath}/statistics">All libraries</a>`
          : html`<a class="button" href="${basePath}/statistics.csv">Download as CSV</a>`
      }
    </div>
    ${figures(sums)}
    <section aria-labelledby="months-title">
      <h2 id="months-title">By month</h2>
      ${monthChart(months, sumStatistics(counts, ['month']))}
    </section>
    <section aria-labelledby="refusals-title">
      <h2 id="refusals-title">Refusals and failures by reason</h2>
      ${reasons(sums)}
    </section>
    ${filter.lending === null ? libraryTable(view, counts, 'lending', 'By lending library') : null}
    ${filter.home === null ? libraryTable(view, counts, 'home', 'By home library') : null} ${view.loans}`;
}

const isFiltered = ({ home, lending }: StatisticsFilter): boolean => home !== null || lending !== null;

function titleOf({ filter: { home, lending }, nameOf }: StatisticsView): string {
  if (lending !== null) return `Statistics of ${nameOf(lending)} as lending library`;
  if (home !== null) return `Statistics of ${nameOf(home)} as home library`;
  return 'Statistics';
}

function figures({ scans, copies, checkouts, observed, refusals, failures }: StatisticsSums): Html {
  return html`<ul class="tiles" aria-label="Sums of these months">
    ${tile('scans', scans, 'that ended')} ${tile('copies', copies, 'created')}
    ${tile('checkouts', checkouts, 'made for the desk')} ${tile('refusals', refusals, 'the desk decides')}
    ${tile('failures', failures, 'for a person to fix')}
    ${observed === 0 ? null : tile('observed', observed, 'would have been served')}
  </ul>`;
}

function monthChart(months: readonly string[], rows: readonly StatisticsRow[]): Html {
  const series = SERIES.filter(
    ({ name, read }) => !OCCASIONAL.includes(name) || rows.some((row) => read(row) > 0),
  );
  const bars = months.map((month, index): Bar => {
    const row = rows.find((each) => each.month === month) ?? NOTHING;
    const isMinor = (months.length - 1 - index) % MONTHS_BETWEEN_TICKS !== 0;
    return { label: month, tick: { text: month, isMinor }, counts: series.map(({ read }) => read(row)) };
  });
  const total = (place: number): number => bars.reduce((sum, { counts }) => sum + (counts[place] ?? 0), 0);
  return barChart({
    id: 'months-chart-title',
    title: `Scans by month: ${series.map(({ name }, place) => `${total(place)} ${name}`).join(', ')}`,
    series,
    bars,
    caption: 'Scans by month (UTC); months without scans are left out',
    column: 'Month',
    empty: 'No scan ended in these months.',
  });
}

const list = (counts: Readonly<Record<string, number>>): Html =>
  definitions('totals', Object.entries(counts));

function reasons(sums: StatisticsSums): Html {
  const { byOverride } = sums;
  if (Object.keys(byOverride).length === 0) return unserved(sums);
  return html`${unserved(sums)}
    <h3>Why staff have overridden a refusal</h3>
    ${list(byOverride)}`;
}

function unserved({ byOutcome, byReason }: StatisticsSums): Html {
  if (Object.keys(byOutcome).length === 0) return html`<p class="empty">Every patron was served.</p>`;
  if (Object.keys(byReason).length === 0) return list(byOutcome);
  return html`${list(byOutcome)}
    <h3>Why patrons were not eligible</h3>
    ${list(byReason)}
    <p class="quiet">
      A patron can have several reasons. Libraries that do not show reasons are not in these figures.
    </p>`;
}

function libraryTable(
  view: StatisticsView,
  counts: readonly StatisticsCount[],
  dimension: Exclude<StatisticsDimension, 'month'>,
  title: string,
): Html {
  const { basePath, nameOf } = view;
  const rows = sumStatistics(counts, [dimension]).map((row) => {
    const { scans, copies, alreadyLocal, checkouts, declined, refusals, failures, observed } = row;
    const name = libraryName(basePath, nameOf, row[dimension] ?? '', dimension);
    return [name, scans, copies, alreadyLocal, checkouts, declined, refusals, failures, observed];
  });
  const figureNames = [
    'Scans',
    'Copies',
    'Already there',
    'Checkouts',
    'Declined',
    'Refusals',
    'Failures',
    'Observed',
  ];
  const heads = ['Library', ...figureNames.map((name) => [name, 'number'] as const)];
  return html`<section aria-labelledby="${dimension}-title">
    <h2 id="${dimension}-title">${title}</h2>
    ${
      rows.length === 0
        ? html`<p class="empty">No scan ended in these months.</p>`
        : table({ label: `Table: ${title}`, heads, rows })
    }
  </section>`;
}

function libraryName(basePath: string, nameOf: (id: string) => string, id: string, dimension: string): Html {
  if (id === NO_HOME) return html`No home library, or several`;
  if (id === OTHER_HOMES) return html`Other home libraries`;
  const path = `${basePath}/statistics?${dimension}=${encodeURIComponent(id)}`;
  return html`<a href="${path}">${nameOf(id)}</a> <span class="quiet">${id}</span>`;
}
