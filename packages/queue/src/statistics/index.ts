export {
  NO_HOME,
  OTHER_HOMES,
  type EventStatistics,
  NO_STATISTICS,
  monthOf,
  statisticsOf,
  STATISTICS_LUA,
} from './statistics.ts';
export {
  type StatisticsCount,
  STATISTICS_DIMENSIONS,
  type StatisticsDimension,
  type StatisticsSums,
  type StatisticsRow,
  monthsBetween,
  lastMonths,
  readStatistics,
  sumStatistics,
  statisticsCsv,
} from './statistics-reading.ts';
export {
  type LoansJob,
  loansJobSchema,
  LOAN_KINDS,
  NO_LOANS,
  type BranchLoans,
  type MonthLoans,
  type LoansCounted,
  addDays,
  openLoanDays,
  readLoans,
  readLoansCounted,
} from './loans.ts';
export { type PairLoans, addLoans, settle, balancesOf, settlementCsv } from './settlement.ts';
export { type OutcomeCount, readOutcomeCounts, readOutcomesOf } from './outcome-counts.ts';
