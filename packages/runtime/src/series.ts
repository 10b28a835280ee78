import { type MetricsRegistry, labelsText, sampleLine } from './metrics-text.ts';

/** Name, help and label names of a metric. */
export interface Series<Label extends string> {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly Label[];
}

type Labels<Label extends string> = Readonly<Record<Label, string>>;

/** The values of a gauge at this moment, each with its labels. */
export type Samples<Label extends string> = Iterable<readonly [labels: Labels<Label>, value: number]>;

/** A desk waits a second or two, Koha's deadlines are seconds, a scan is worth following for a minute. */
const SECONDS_BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 20, 30, 60];

/**
 * Registers a counter; returns what adds to it (1 where no number is given). The series in `zeroed` exist from the start,
 * at zero: of a series that begins with 1, Prometheus sees no increase, and an alert on it would not fire.
 */
export function createCounter<const Label extends string>(
  registry: MetricsRegistry,
  { name, help, labels = [] }: Series<Label>,
  zeroed: readonly Labels<Label>[] = [],
): (labels: Labels<Label>, by?: number) => void {
  const counts = new Map<string, number>(zeroed.map((each) => [labelsText(labels, each), 0]));
  registry.add({
    name,
    help,
    type: 'counter',
    samples: () => Array.from(counts, ([of, count]) => sampleLine(name, of, count)),
  });
  return (values, by = 1) => {
    const of = labelsText(labels, values);
    counts.set(of, (counts.get(of) ?? 0) + by);
  };
}

interface Observed {
  /** One for each bucket, without those of the buckets below it; the last is what no bucket holds. */
  readonly counts: number[];
  sum: number;
  /** Its lines since the last observation; null: not made yet. Most series of many libraries are quiet between two scrapes. */
  text: string | null;
}

/** Registers a histogram of durations; returns what observes one, in seconds. */
export function createHistogram<const Label extends string>(
  registry: MetricsRegistry,
  { name, help, labels = [] }: Series<Label>,
): (labels: Labels<Label>, seconds: number) => void {
  const observed = new Map<string, Observed>();
  registry.add({
    name,
    help,
    type: 'histogram',
    samples: () => Array.from(observed, ([of, each]) => (each.text ??= histogramText(name, of, each))),
  });
  return (values, seconds) => {
    const of = labelsText(labels, values);
    const each = observed.get(of) ?? {
      counts: Array.from({ length: LIMITS.length }, () => 0),
      sum: 0,
      text: null,
    };
    observed.set(of, each);
    const bucket = SECONDS_BUCKETS.findIndex((limit) => seconds <= limit);
    const place = bucket === -1 ? SECONDS_BUCKETS.length : bucket;
    each.counts[place] = (each.counts[place] ?? 0) + 1;
    each.sum += seconds;
    each.text = null;
  };
}

const LIMITS = [...SECONDS_BUCKETS.map(String), '+Inf'].map((limit) => `le="${limit}"`);

function histogramText(name: string, of: string, { counts, sum }: Observed): string {
  const more = of === '' ? '' : `,${of}`;
  let total = 0;
  const lines = LIMITS.map((limit, place) => {
    total += counts[place] ?? 0;
    return `${name}_bucket{${limit}${more}} ${total}`;
  });
  lines.push(sampleLine(`${name}_sum`, of, sum), sampleLine(`${name}_count`, of, total));
  return lines.join('\n');
}

/** Registers a gauge that is read at each scrape. A series that `read` does not return is absent, whatever it was before. */
export function createGauge<const Label extends string = never>(
  registry: MetricsRegistry,
  { name, help, labels = [] }: Series<Label>,
  read: () => Samples<Label> | Promise<Samples<Label>>,
): void {
  registry.add({
    name,
    help,
    type: 'gauge',
    samples: async () =>
      Array.from(await read(), ([values, value]) => sampleLine(name, labelsText(labels, values), value)),
  });
}
