import { ELIGIBILITY_REASONS } from '@passport/contract';
import {
  STATISTICS_DIMENSIONS,
  type StatisticsDimension,
  type StatisticsRow,
  UNSERVED,
} from './statistics-reading.ts';

/**
 * Statistics as CSV (RFC 4180), with a column for every outcome and reason, so that the columns are the same each time. Library
 * ids and codes need no quotes.
 */
export function statisticsCsv(rows: readonly StatisticsRow[], by: readonly StatisticsDimension[]): string[] {
  const dimensions = STATISTICS_DIMENSIONS.filter((dimension) => by.includes(dimension));
  const sums = ['scans', 'copies', 'already_local', 'checkouts', 'refusals', 'failures', 'observed'];
  const header = [...dimensions, ...sums, ...UNSERVED, ...ELIGIBILITY_REASONS];
  const lines = rows.map((row) => [
    ...dimensions.map((dimension) => row[dimension] ?? ''),
    row.scans,
    row.copies,
    row.alreadyLocal,
    row.checkouts,
    row.refusals,
    row.failures,
    row.observed,
    ...UNSERVED.map((outcome) => row.byOutcome[outcome] ?? 0),
    ...ELIGIBILITY_REASONS.map((reason) => row.byReason[reason] ?? 0),
  ]);
  return [header, ...lines].map((cells) => cells.join(','));
}
