import { median } from './figures.ts';

/** One measure of a scenario: ours beside what it is measured against, in one run on one machine. */
export interface Measured {
  readonly what: string;
  readonly unit: string;
  readonly ours: number;
  readonly against: number;
  /** Ours to against; for a difference, ours less against. */
  readonly ratio: number;
  /** The least and the most of `ratio`, or of `ours` where that decides, over the rounds. */
  readonly spread: readonly [least: number, most: number];
  readonly target: string;
  /** Null where nothing is promised. */
  readonly met: boolean | null;
}

/** A measure of the report. */
export interface Row extends Measured {
  readonly scenario: string;
}

/** What was measured in one round, both sides right after one another. */
export interface Round {
  readonly ours: number;
  readonly against: number;
}

/** What a row says beside its figures. */
export interface Measure {
  readonly what: string;
  readonly unit: string;
  /** A row's figures are the medians of the rounds, unless `all` says otherwise. */
  readonly rounds: readonly Round[];
  /** The figures over all rounds together, such as a 99th percentile that one round is too short for. */
  readonly all?: Round;
}

type Target = { readonly atMost: number } | { readonly atLeast: number };

/** A row whose target is a ratio of ours to against. */
export const ratioRow = (measure: Measure, target: Target): Measured =>
  rateRow(measure, ({ ours, against }) => ours / against, target, '×');

/** A row whose target is how much ours is above against, in its unit. */
export const differenceRow = (measure: Measure, target: Target): Measured =>
  rateRow(measure, ({ ours, against }) => ours - against, target, measure.unit);

/** A row whose target is a value of ours alone, in its unit; `against` is there to compare. */
export function valueRow(measure: Measure, target: Target): Measured {
  const row = rateRow(measure, ({ ours }) => ours, target, measure.unit);
  return { ...row, ratio: round(row.ours / row.against), target: `${row.target} in all` };
}

/** A row that promises nothing. */
export const recordRow = (measure: Measure): Measured => ({
  ...ratioRow(measure, { atLeast: 0 }),
  target: 'for the record',
  met: null,
});

function rateRow(
  { rounds, all, what, unit }: Measure,
  ratioOf: (round: Round) => number,
  target: Target,
  targetUnit: string,
): Measured {
  const ratios = rounds.map(ratioOf);
  const { ours, against } = all ?? {
    ours: median(rounds.map((each) => each.ours)),
    against: median(rounds.map((each) => each.against)),
  };
  const ratio = all === undefined ? median(ratios) : ratioOf(all);
  const isMost = 'atMost' in target;
  const limit = isMost ? target.atMost : target.atLeast;
  return {
    what,
    unit,
    ours: round(ours),
    against: round(against),
    ratio: round(ratio),
    spread: [round(Math.min(...ratios)), round(Math.max(...ratios))],
    target: `${isMost ? '≤' : '≥'} ${limit} ${targetUnit}`,
    met: isMost ? ratio <= limit : ratio >= limit,
  };
}

const round = (value: number): number => Number(value.toPrecision(4));
