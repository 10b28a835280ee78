import {
  type LoansCounted,
  type PairLoans,
  NO_LOANS,
  OTHER_HOMES,
  addLoans,
  balancesOf,
} from '@passport/queue/statistics';
import { type Html, html } from '../shell/html.ts';
import { table } from '../shell/parts.ts';
import type { PageDeps } from '../shell/page-deps.ts';

export interface LoansView extends Pick<PageDeps, 'basePath' | 'nameOf'> {
  readonly months: readonly string[];
  /** One of them; null: all. */
  readonly month: string | null;
  /** Of the libraries that somebody sees. */
  readonly pairs: readonly PairLoans[];
  readonly counted: ReadonlyMap<string, LoansCounted>;
}

const number = (name: string) => [name, 'number'] as const;
const PAIR_HEADS = [
  'Home library',
  'Lending library',
  ...['Checkouts', 'Renewals', 'Returns', 'Net'].map(number),
];
const BALANCE_HEADS = ['Library', ...['Lent', 'Borrowed', 'Net'].map(number)];

/** Who borrowed where: each home and lending library, and what each library lent and borrowed. */
export function loansSection({
  basePath,
  nameOf,
  months,
  month,
  pairs: all,
  counted,
}: LoansView): Html | null {
  if (counted.size === 0 && all.length === 0) return null;
  const pairs = month === null ? all : all.filter((pair) => pair.month === month);
  const name = (id: string): string => (id === OTHER_HOMES ? 'Other home libraries' : nameOf(id));
  const rows = overMonths(pairs).map(({ home, lending, checkouts, renewals, returns, net }) => [
    name(home),
    name(lending),
    checkouts,
    renewals,
    returns,
    net,
  ]);
  const balances = balancesOf(pairs).map(({ library, lent, borrowed, net }) => [
    name(library),
    lent,
    borrowed,
    net,
  ]);
  const link = (to: string | null, text: string): Html =>
    to === month
      ? html`<strong>${text}</strong> `
      : html`<a href="${basePath}/statistics${to === null ? '' : `?month=${to}`}#loans-title">${text}</a> `;
  return html`<section aria-labelledby="loans-title">
    <h2 id="loans-title">Loans of visitors</h2>
    <p>${link(null, 'All months')}${months.map((each) => link(each, each))}</p>
    ${
      rows.length === 0
        ? html`<p class="empty">No loan of a visitor was counted.</p>`
        : html`${table({ label: 'Table: Loans by home and lending library', className: 'statistics', heads: PAIR_HEADS, rows })}
          ${table({ label: 'Table: Lent and borrowed', className: 'statistics', heads: BALANCE_HEADS, rows: balances })}`
    }
    <p class="quiet">
      Net counts checkouts.
      ${[...counted].map(
        ([library, { through }]) =>
          html`${nameOf(library)}: ${through === null ? 'not counted yet' : `counted through ${through}`}. `,
      )}
      <a href="${basePath}/statistics/settlement.csv">Settlement as CSV</a>
    </p>
  </section>`;
}

/** The same pairs in all months, and which way the loans went. */
function overMonths(pairs: readonly PairLoans[]): readonly Omit<PairLoans, 'month' | 'isFinal'>[] {
  const groups = new Map<string, PairLoans[]>();
  for (const pair of pairs) {
    const key = `${pair.home} ${pair.lending}`;
    groups.set(key, [...(groups.get(key) ?? []), pair]);
  }
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    const sums = group.reduce(addLoans, NO_LOANS);
    if (first === undefined) return [];
    const net = group.reduce((total, each) => total + each.net, 0);
    const { checkouts, renewals, returns } = sums;
    return [{ home: first.home, lending: first.lending, checkouts, renewals, returns, net }];
  });
}
