import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** Where a process keeps its metrics; `registry.metrics()` is the text for `/metrics`. */
export type MetricsRegistry = Registry;

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
  const counter = new Counter<string>({ name, help, labelNames: labels, registers: [registry] });
  for (const each of zeroed) counter.inc(each, 0);
  return (of, by = 1) => counter.inc(of, by);
}

/** Registers a histogram of durations; returns what observes one, in seconds. */
export function createHistogram<const Label extends string>(
  registry: MetricsRegistry,
  { name, help, labels = [] }: Series<Label>,
): (labels: Labels<Label>, seconds: number) => void {
  const buckets = SECONDS_BUCKETS;
  const histogram = new Histogram<string>({ name, help, labelNames: labels, buckets, registers: [registry] });
  return (of, seconds) => histogram.observe(of, seconds);
}

/** Registers a gauge that is read at each scrape. A series that `read` does not return is absent, whatever it was before. */
export function createGauge<const Label extends string = never>(
  registry: MetricsRegistry,
  { name, help, labels = [] }: Series<Label>,
  read: () => Samples<Label> | Promise<Samples<Label>>,
): void {
  new Gauge<string>({
    name,
    help,
    labelNames: labels,
    registers: [registry],
    async collect() {
      const samples = await read();
      // Without labels `reset` would leave a zero.
      if (labels.length === 0) this.remove();
      else this.reset();
      for (const [of, value] of samples) this.set(of, value);
    },
  });
}
