/** One measure of the report: ours beside what it is measured against, in one run on one machine. */
export interface Row {
  readonly scenario: string;
  readonly what: string;
  readonly unit: string;
  readonly ours: number;
  readonly against: number;
  /** Ours to against; for a difference, ours less against. */
  readonly ratio: number;
  readonly target: string;
  readonly met: boolean;
}

type Target = { readonly atMost: number } | { readonly atLeast: number };

type Measure = Pick<Row, 'scenario' | 'what' | 'unit' | 'ours' | 'against'>;

/** A row whose target is a ratio of ours to against. */
export function ratioRow(measure: Measure, target: Target): Row {
  return judge(measure, measure.ours / measure.against, target, '×');
}

/** A row whose target is how much ours is above against, in its unit. */
export function differenceRow(measure: Measure, target: Target): Row {
  return judge(measure, measure.ours - measure.against, target, measure.unit);
}

function judge(measure: Measure, ratio: number, target: Target, unit: string): Row {
  const isMost = 'atMost' in target;
  const limit = isMost ? target.atMost : target.atLeast;
  return {
    ...measure,
    ours: round(measure.ours),
    against: round(measure.against),
    ratio: round(ratio),
    target: `${isMost ? '≤' : '≥'} ${limit} ${unit}`,
    met: isMost ? ratio <= limit : ratio >= limit,
  };
}

const round = (value: number): number => Number(value.toPrecision(4));
