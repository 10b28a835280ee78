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
export { type OutcomeCount, readOutcomeCounts, readOutcomesOf } from './outcome-counts.ts';
