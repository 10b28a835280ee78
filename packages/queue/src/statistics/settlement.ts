import { addDays, LOAN_KINDS, type LoansCounted, type LoanSums, type MonthLoans, NO_LOANS } from './loans.ts';

/** Loans of one home library's patrons at one lending library in one month. */
export interface PairLoans extends LoanSums {
  readonly month: string;
  readonly home: string;
  readonly lending: string;
  /** Checkouts of this pair less those of the same two libraries the other way round: in all, they add up to 0. */
  readonly net: number;
  /** The month is over, and is not counted again. */
  readonly isFinal: boolean;
}

/** What one library lent to patrons of others, and what its own borrowed elsewhere; in all, `net` adds up to 0. */
export interface LibraryBalance {
  readonly library: string;
  readonly lent: number;
  readonly borrowed: number;
  readonly net: number;
}

const lastDayOf = (month: string): string => {
  const [year = 0, number = 1] = month.split('-').map(Number);
  return addDays(new Date(Date.UTC(year, number, 1)).toISOString().slice(0, 10), -1);
};

export const addLoans = (one: LoanSums, other: LoanSums): LoanSums => ({
  checkouts: one.checkouts + other.checkouts,
  renewals: one.renewals + other.renewals,
  returns: one.returns + other.returns,
});

/** The matrix of home and lending libraries by month, each pair with its counterpart, ordered by month, home and lending library. */
export function settle(
  loans: readonly MonthLoans[],
  counted: ReadonlyMap<string, LoansCounted>,
): readonly PairLoans[] {
  const nameOf = (month: string, home: string, lending: string): string => `${month} ${home} ${lending}`;
  const pairs = new Map<string, LoanSums>();
  for (const { month, home, lending, ...sums } of loans) {
    const name = nameOf(month, home, lending);
    pairs.set(name, addLoans(pairs.get(name) ?? NO_LOANS, sums));
    const other = nameOf(month, lending, home);
    if (!pairs.has(other)) pairs.set(other, NO_LOANS);
  }
  return [...pairs]
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, sums]) => {
      const [month = '', home = '', lending = ''] = name.split(' ');
      const back = pairs.get(nameOf(month, lending, home)) ?? NO_LOANS;
      const isFinal = [home, lending].every(
        (library) => !counted.has(library) || (counted.get(library)?.closed ?? '') >= lastDayOf(month),
      );
      return { month, home, lending, ...sums, net: sums.checkouts - back.checkouts, isFinal };
    });
}

/** By library, the net lender first. */
export function balancesOf(pairs: readonly PairLoans[]): readonly LibraryBalance[] {
  const sum = (of: readonly PairLoans[]): number => of.reduce((total, { checkouts }) => total + checkouts, 0);
  const libraries = [...new Set(pairs.flatMap(({ home, lending }) => [home, lending]))];
  return libraries
    .map((library) => {
      const lent = sum(pairs.filter(({ lending }) => lending === library));
      const borrowed = sum(pairs.filter(({ home }) => home === library));
      return { library, lent, borrowed, net: lent - borrowed };
    })
    .toSorted((one, other) => other.net - one.net || (one.library < other.library ? -1 : 1));
}

/** The settlement as CSV (RFC 4180): a line for each pair and month; `net` adds up to 0. Library ids need no quotes. */
export function settlementCsv(pairs: readonly PairLoans[]): string[] {
  const header = ['month', 'home', 'lending', ...LOAN_KINDS, 'net', 'state'];
  const lines = pairs.map(({ month, home, lending, net, isFinal, ...sums }) => [
    month,
    home,
    lending,
    ...LOAN_KINDS.map((kind) => sums[kind]),
    net,
    isFinal ? 'final' : 'open',
  ]);
  return [header, ...lines].map((cells) => cells.join(','));
}
