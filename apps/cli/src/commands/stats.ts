import { InvalidArgumentError } from 'commander';
import {
  type StatisticsDimension,
  type StatisticsRow,
  STATISTICS_DIMENSIONS,
  lastMonths,
  monthOf,
  monthsBetween,
  readStatistics,
  statisticsCsv,
  sumStatistics,
} from '@passport/queue/statistics';
import { withQueue } from '../connect/with-queue.ts';
import { LOAN_DIMENSIONS, type LoanDimension, reportLoans } from './stats-loans.ts';
import { defineCommand, flag, parsed, parsedOr, type Report, optional, WrongUse } from '../program/index.ts';

const MONTHS_BY_DEFAULT = 12;
const MONTHS_KEPT = 5 * 12 + 1;

function parseBy(text: string): readonly LoanDimension[] {
  const names = text.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !LOAN_DIMENSIONS.some((each) => each === name));
  if (unknown !== undefined) {
    throw new InvalidArgumentError(`It is not a list of ${LOAN_DIMENSIONS.join(', ')}.`);
  }
  return LOAN_DIMENSIONS.filter((dimension) => names.includes(dimension));
}

function parseMonth(text: string): string {
  if (!/^\d{4}-(?:0[1-9]|1[0-2])$/.test(text))
    throw new InvalidArgumentError('It is not a month such as 2026-11.');
  return text;
}

/** The months to list, oldest first. */
function monthsOf(since: string | undefined, until: string | undefined, now: string): string[] {
  const last = until ?? now;
  const months = since === undefined ? lastMonths(last, MONTHS_BY_DEFAULT) : monthsBetween(since, last);
  if (months.length === 0) throw new WrongUse('--since is later than --until');
  return months.slice(-MONTHS_KEPT);
}

const toJson = ({ alreadyLocal, byOutcome, byReason, byOverride, ...row }: StatisticsRow) => ({
  ...row,
  already_local: alreadyLocal,
  by_outcome: byOutcome,
  by_reason: byReason,
  by_override: byOverride,
});

const SUMS = [
  ['scans', ({ scans }) => scans],
  ['copies', ({ copies }) => copies],
  ['already local', ({ alreadyLocal }) => alreadyLocal],
  ['checkouts', ({ checkouts }) => checkouts],
  ['declined', ({ declined }) => declined],
  ['refusals', ({ refusals }) => refusals],
  ['failures', ({ failures }) => failures],
  ['observed', ({ observed }) => observed],
] as const satisfies readonly (readonly [string, (row: StatisticsRow) => number])[];

function codesOf({ byOutcome, byReason, byOverride }: StatisticsRow): string {
  const list = (counts: Readonly<Record<string, number>>): string =>
    Object.entries(counts)
      .map(([code, count]) => `${code} ${count}`)
      .join(', ');
  const reasons = list(byReason);
  const overridden = list(byOverride);
  return [
    list(byOutcome),
    reasons === '' ? '' : `(not eligible: ${reasons})`,
    overridden === '' ? '' : `(overridden: ${overridden})`,
  ]
    .filter((part) => part !== '')
    .join(' ');
}

function printTable(
  rows: readonly StatisticsRow[],
  by: readonly StatisticsDimension[],
  { line, table }: Report,
): void {
  if (rows.length === 0) return line('no scan ended in these months');
  const header = [...by, ...SUMS.map(([name]) => name), 'by reason'];
  const cells = rows.map((row) => [
    ...by.map((dimension) => row[dimension] ?? ''),
    ...SUMS.map(([, read]) => String(read(row))),
    codesOf(row),
  ]);
  const right = SUMS.map((_sum, index) => by.length + index);
  table(header, cells, right);
}

export const stats = defineCommand({
  summary: 'count scans, copies, checkouts and refusals by month and library',
  description:
    'Counts the scans that ended: copies, patrons that were already local, checkouts, refusals and failures by their codes, and patrons who ' +
    'would have been served by a library that only observes. ' +
    'Months are in UTC, and a scan counts in the month of its end. A double scan is one scan, and so is a scan that was retried. In ' +
    'the column of home libraries, - is a scan without a home library or with several, and * the home libraries beyond those that are ' +
    'counted apart. Declined are scans that the desk cancelled or the patron did not agree to. With --loans it lists the checkouts, renewals and ' +
    'returns of visitors instead, as each lending library with `loans` counted them by its own clock, what each library lent and borrowed ' +
    '(checkouts), and with --csv the file for the settlement. Counts hold nothing of persons and are kept for five years.',
  examples: [
    'passport stats',
    'passport stats --by month,home,lending --since 2026-01 --csv > statistics.csv',
    'passport stats --by lending --of midland --json',
    'passport stats --loans --by month,home,lending',
    'passport stats --loans --since 2026-07 --until 2026-09 --csv > settlement.csv',
  ],
  options: {
    by: parsedOr(
      '<dimensions>',
      `any of ${LOAN_DIMENSIONS.join(', ')}, separated by commas; branch is of loans`,
      parseBy,
      [['month'], 'month'],
    ),
    at: optional('<library>', 'only scans at this lending library'),
    of: optional('<library>', "only scans of this home library's patrons"),
    since: parsed('<month>', 'the first month; by default the last 12 months', parseMonth),
    until: parsed('<month>', 'the last month; by default this month', parseMonth),
    loans: flag('the loans of visitors, instead of scans'),
    csv: flag('print CSV instead of a table, with a column for every code, or the settlement', ['json']),
  },
  run: (wanted, _args, report, deps) =>
    withQueue(deps, async ({ redis, now, consortium }): Promise<0> => {
      const months = monthsOf(wanted.since, wanted.until, monthOf(new Date(await now()).toISOString()));
      if (wanted.loans === true) {
        const lenders = consortium.libraries.filter(({ loans }) => loans !== null).map(({ id }) => id);
        const { at, of, by } = wanted;
        await reportLoans(redis, lenders, { months, by, at, of, csv: wanted.csv === true }, report);
        return 0;
      }
      const by = STATISTICS_DIMENSIONS.filter((dimension) => wanted.by.includes(dimension));
      if (by.length < wanted.by.length) throw new WrongUse('--by branch needs --loans');
      const counts = (await readStatistics(redis, months)).filter(
        ({ home, lending }) =>
          (wanted.at === undefined || lending === wanted.at) &&
          (wanted.of === undefined || home === wanted.of),
      );
      const rows = sumStatistics(counts, by);
      report.json({ months, by, rows: rows.map(toJson) });
      if (wanted.csv === true) for (const row of statisticsCsv(rows, by)) report.data(row);
      else printTable(rows, by, report);
      return 0;
    }),
});
