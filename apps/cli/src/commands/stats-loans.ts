import {
  LOAN_KINDS,
  type LoansCounted,
  type MonthLoans,
  NO_LOANS,
  addLoans,
  balancesOf,
  readLoans,
  readLoansCounted,
  settle,
  settlementCsv,
} from '@passport/queue/statistics';
import type { Redis } from '@passport/runtime';
import type { Report } from '../program/index.ts';

/** What loans can be listed by, in the order of their columns. */
export const LOAN_DIMENSIONS = ['month', 'home', 'lending', 'branch'] as const;
export type LoanDimension = (typeof LOAN_DIMENSIONS)[number];

/** Which loans are listed, and how. */
export interface LoansWanted {
  readonly months: readonly string[];
  readonly by: readonly LoanDimension[];
  readonly at: string | undefined;
  readonly of: string | undefined;
  readonly csv: boolean;
}

/** Lists the loans of visitors, with what each library lent and borrowed, or prints the settlement file. */
export async function reportLoans(
  redis: Redis,
  libraries: readonly string[],
  { months, by, at, of, csv }: LoansWanted,
  report: Report,
): Promise<void> {
  const counted = await readLoansCounted(redis, libraries);
  const all = await readLoans(redis, months);
  const isWanted = ({ home, lending }: { readonly home: string; readonly lending: string }): boolean =>
    (at === undefined || lending === at) && (of === undefined || home === of);
  const pairs = settle(all, counted).filter(isWanted);
  const rows = sumLoans(all.filter(isWanted), by);
  const balances = balancesOf(pairs);
  report.json({
    months,
    by,
    rows,
    balances,
    counted_through: Object.fromEntries([...counted].map(([library, { through }]) => [library, through])),
  });
  if (csv) for (const line of settlementCsv(pairs)) report.data(line);
  else printLoans({ rows, by, balances, counted }, report);
}

type LoansRow = Readonly<Record<string, string | number>>;

function sumLoans(loans: readonly MonthLoans[], by: readonly LoanDimension[]): readonly LoansRow[] {
  const groups = new Map<string, MonthLoans[]>();
  for (const row of loans) {
    const name = JSON.stringify(by.map((dimension) => row[dimension]));
    groups.set(name, [...(groups.get(name) ?? []), row]);
  }
  return [...groups]
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([, group]) => {
      const { checkouts, renewals, returns } = group.reduce(addLoans, NO_LOANS);
      const names = Object.fromEntries(by.map((dimension) => [dimension, group[0]?.[dimension] ?? '']));
      return { ...names, checkouts, renewals, returns };
    });
}

interface LoansShown {
  readonly rows: readonly LoansRow[];
  readonly by: readonly LoanDimension[];
  readonly balances: ReturnType<typeof balancesOf>;
  readonly counted: ReadonlyMap<string, LoansCounted>;
}

function printLoans({ rows, by, balances, counted }: LoansShown, { line, table }: Report): void {
  const print = (head: readonly string[], cells: readonly LoansRow[], names: number): void => {
    const lines = cells.map((row) => head.map((name) => String(row[name] ?? '')));
    const right = head.map((_name, index) => index).slice(names);
    table(head, lines, right);
  };
  if (rows.length === 0) line('no loan of a visitor was counted in these months');
  else {
    print([...by, ...LOAN_KINDS], rows, by.length);
    line('');
    print(
      ['library', 'lent', 'borrowed', 'net'],
      balances.map((balance) => ({ ...balance })),
      1,
    );
  }
  for (const [library, { through }] of counted)
    line(`${library}: counted through ${through ?? 'no day yet'}`);
}
