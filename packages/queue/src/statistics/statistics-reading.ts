import {
  ELIGIBILITY_REASONS,
  type EligibilityReason,
  OUTCOME_GROUP,
  OUTCOMES,
  OVERRIDE_REASONS,
  type Outcome,
  type OutcomeGroup,
  type OverrideReason,
} from '@passport/contract';
import type { Redis } from '@passport/runtime';
import { statisticsKey, statisticsLibrariesKey } from '../keys.ts';
import { COUNTED, type Counted } from './statistics.ts';

/** One count of one month, as it is stored. */
export interface StatisticsCount {
  /** `2026-11`, UTC. */
  readonly month: string;
  readonly lending: string;
  /** A library, or `-` where no home or several were found, or `*` for those beyond what is kept apart. */
  readonly home: string;
  readonly counted: Counted;
  readonly count: number;
}

/** What statistics can be listed by, in the order of their columns. */
export const STATISTICS_DIMENSIONS = ['month', 'home', 'lending'] as const;
export type StatisticsDimension = (typeof STATISTICS_DIMENSIONS)[number];

/** The sums of some counts. Every scan is one of copies, already local, observed, declined, refusals and failures. */
export interface StatisticsSums {
  /** Scans that ended; a double scan is one. */
  readonly scans: number;
  readonly copies: number;
  /** The patron was there already. */
  readonly alreadyLocal: number;
  /** The library only observes: the patron would have been served. */
  readonly observed: number;
  /** Items checked out for the desk. */
  readonly checkouts: number;
  /** The desk cancelled, or the patron did not agree: nobody was refused. */
  readonly declined: number;
  /** Scans without a patron to check out to, where nothing failed. */
  readonly refusals: number;
  /** What a person has to fix. */
  readonly failures: number;
  /** How many scans ended so; all outcomes but those of copies, already local and observed. */
  readonly byOutcome: Readonly<Partial<Record<Outcome, number>>>;
  /** Of the outcome `NOT_ELIGIBLE`, by reason; a patron may have several, and a library may show none. */
  readonly byReason: Readonly<Partial<Record<EligibilityReason, number>>>;
  /** Of copies and patrons who were there already, those whom staff have overridden a refusal for, by the reason that they gave. */
  readonly byOverride: Readonly<Partial<Record<OverrideReason, number>>>;
}

/** One line of a listing: its dimensions, and the sums. */
export interface StatisticsRow extends StatisticsSums, Partial<Record<StatisticsDimension, string>> {}

/** The outcomes with a sum of their own. */
const SUMMED: readonly Outcome[] = ['COPIED', 'ALREADY_LOCAL', 'OBSERVED'];
/** The outcomes that are listed by their codes, in the contract's order. */
export const UNSERVED: readonly Outcome[] = OUTCOMES.filter((outcome) => !SUMMED.includes(outcome));

const numberOf = (month: string): number => Number(month.slice(0, 4)) * 12 + Number(month.slice(5)) - 1;
const nameOf = (month: number): string =>
  `${String(Math.floor(month / 12)).padStart(4, '0')}-${String((month % 12) + 1).padStart(2, '0')}`;

/** The months from one to another, such as `2026-11`, both included, oldest first; none if the first is the later one. */
export function monthsBetween(first: string, last: string): string[] {
  return lastMonths(last, numberOf(last) - numberOf(first) + 1);
}

/** So many months up to this one, oldest first. */
export function lastMonths(last: string, months: number): string[] {
  return Array.from({ length: Math.max(0, months) }, (_, index) =>
    nameOf(numberOf(last) - months + 1 + index),
  );
}

const CODES: ReadonlyMap<string, Counted> = new Map(COUNTED.map((code) => [code, code]));

/** All counts of these months, month by month; a count of a newer version that this one does not know is left out. */
export async function readStatistics(redis: Redis, months: readonly string[]): Promise<StatisticsCount[]> {
  const counts: StatisticsCount[] = [];
  for (const month of months) {
    const libraries = (await redis.smembers(statisticsLibrariesKey(month))).toSorted();
    const tables = await Promise.all(
      libraries.map((lending) => redis.hgetall(statisticsKey(month, lending))),
    );
    for (const [index, lending] of libraries.entries()) {
      for (const [field, count] of Object.entries(tables[index] ?? {})) {
        const space = field.indexOf(' ');
        const home = field.slice(0, space);
        const counted = CODES.get(field.slice(space + 1));
        if (counted !== undefined) counts.push({ month, lending, home, counted, count: Number(count) });
      }
    }
  }
  return counts;
}

/** Sums counts up by these dimensions; one row in all where there are none. Rows are ordered by month, home, lending library. */
export function sumStatistics(
  counts: readonly StatisticsCount[],
  by: readonly StatisticsDimension[],
): StatisticsRow[] {
  const dimensions = STATISTICS_DIMENSIONS.filter((dimension) => by.includes(dimension));
  const groups = new Map<string, StatisticsCount[]>();
  for (const count of counts) {
    const name = dimensions.map((dimension) => count[dimension]).join(' ');
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [count]);
    else group.push(count);
  }
  return [...groups.entries()]
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, group]) => {
      const values = name.split(' ');
      const named = Object.fromEntries(
        dimensions.map((dimension, index) => [dimension, values[index] ?? '']),
      );
      return { ...named, ...sumsOf(group) };
    });
}

const inGroups = (...groups: readonly OutcomeGroup[]): readonly Outcome[] =>
  OUTCOMES.filter((outcome) => groups.includes(OUTCOME_GROUP[outcome]));

function sumsOf(counts: readonly StatisticsCount[]): StatisticsSums {
  const totals = new Map<Counted, number>();
  for (const { counted, count } of counts) totals.set(counted, (totals.get(counted) ?? 0) + count);
  const of = (counted: Counted): number => totals.get(counted) ?? 0;
  const sum = (outcomes: readonly Outcome[]): number => outcomes.reduce((total, each) => total + of(each), 0);
  const nonZero = <C extends Counted>(names: readonly C[]): Partial<Record<C, number>> =>
    Object.fromEntries(names.filter((name) => of(name) > 0).map((name) => [name, of(name)])) as Partial<
      Record<C, number>
    >;
  return {
    scans: sum(OUTCOMES),
    copies: of('COPIED'),
    alreadyLocal: of('ALREADY_LOCAL'),
    observed: of('OBSERVED'),
    checkouts: of('CHECKED_OUT'),
    declined: sum(inGroups('declined')),
    refusals: sum(inGroups('unknown card', 'desk decides')),
    failures: sum(inGroups('failed')),
    byOutcome: nonZero(UNSERVED),
    byReason: nonZero(ELIGIBILITY_REASONS),
    byOverride: nonZero(OVERRIDE_REASONS),
  };
}

/**
 * Statistics as CSV (RFC 4180), with a column for every outcome and reason, so that the columns are the same each time. Library
 * ids and codes need no quotes.
 */
export function statisticsCsv(rows: readonly StatisticsRow[], by: readonly StatisticsDimension[]): string[] {
  const dimensions = STATISTICS_DIMENSIONS.filter((dimension) => by.includes(dimension));
  const sums = [
    'scans',
    'copies',
    'already_local',
    'checkouts',
    'declined',
    'refusals',
    'failures',
    'observed',
  ];
  const header = [...dimensions, ...sums, ...UNSERVED, ...ELIGIBILITY_REASONS, ...OVERRIDE_REASONS];
  const lines = rows.map((row) => [
    ...dimensions.map((dimension) => row[dimension] ?? ''),
    row.scans,
    row.copies,
    row.alreadyLocal,
    row.checkouts,
    row.declined,
    row.refusals,
    row.failures,
    row.observed,
    ...UNSERVED.map((outcome) => row.byOutcome[outcome] ?? 0),
    ...ELIGIBILITY_REASONS.map((reason) => row.byReason[reason] ?? 0),
    ...OVERRIDE_REASONS.map((reason) => row.byOverride[reason] ?? 0),
  ]);
  return [header, ...lines].map((cells) => cells.join(','));
}
