import type { MetricsRegistry } from './metrics-registry.ts';

/** Name, help and label names of a metric. */
export interface Series<Label extends string> {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly Label[];
}

type Labels<Label extends string> = Readonly<Record<Label, string>>;

/** The values of a metric at this moment, each with its labels. */
export type Samples<Label extends string> = Iterable<readonly [labels: Labels<Label>, value: number]>;

/** A desk waits a second or two, Koha's deadlines are seconds, a scan is worth following for a minute. */
export const SECONDS_BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 20, 30, 60];
/** Those of them that an alert, or the choice between "well" and "slow", needs. */
export const FEW_SECONDS_BUCKETS = [0.5, 1, 2, 5, 10];

/** A worker that has called each of these in every way has 15,000 series, and Prometheus has as many for each worker. */
const MOST_IN_DETAIL = 100;

/**
 * Whether the metrics of so many libraries are in detail. Otherwise histograms have few buckets and are not by library and
 * operation together, and a gauge of a library that is 0 is absent, with its limit.
 */
export const areInDetail = (libraries: number): boolean => libraries <= MOST_IN_DETAIL;

/** Of a counter: each series is shown at zero for a while before it is shown as it is. */
export const ZERO_AT_FIRST = 'zero at first';
/** Two scrapes of a Prometheus that scrapes once a minute, Prometheus' own default: one may fail. */
const AT_ZERO_MS = 150_000;

/**
 * Registers a counter; returns what adds to it (1 where no number is given). The series in `zeroed` exist from the start,
 * at zero: of a series that begins with 1, Prometheus sees no increase, and an alert on it would not fire. Where they would be too many,
 * `ZERO_AT_FIRST` shows none before it counts, and then at zero for as long as every Prometheus needs to see that (by `monotonicNow`, in milliseconds).
 */
export function createCounter<const Label extends string>(
  registry: MetricsRegistry,
  series: Series<Label>,
  zeroed: readonly Labels<Label>[] | typeof ZERO_AT_FIRST = [],
  monotonicNow: () => number = () => performance.now(),
): (labels: Labels<Label>, by?: number) => void {
  const counted = registry.counted<Counts>(series.name, () => ({ counts: new Map(), written: null }));
  const { counts } = counted;
  const add = (of: Labels<Label>, by = 1): void => {
    const labels = writeLabels(of);
    const count = counts.get(labels) ?? { value: 0, line: null, atZeroSince: null };
    count.value += by;
    count.line = counted.written = null;
    counts.set(labels, count);
  };
  const isShown = (count: Count): boolean => {
    if (zeroed !== ZERO_AT_FIRST) return true;
    count.atZeroSince ??= monotonicNow();
    return monotonicNow() - count.atZeroSince >= AT_ZERO_MS;
  };
  if (zeroed !== ZERO_AT_FIRST) for (const each of zeroed) add(each, 0);
  registry.add(series.name, () => {
    if (counted.written !== null) return counted.written;
    let isWhole = true;
    const lines = Array.from(counts, ([labels, count]) => {
      if (count.line !== null) return count.line;
      if (isShown(count)) return (count.line = lineOf(series.name, labels, count.value));
      isWhole = false;
      return lineOf(series.name, labels, 0);
    });
    const written = headOf(series, 'counter') + lines.join('');
    if (isWhole) counted.written = written;
    return written;
  });
  return add;
}

/** Registers a histogram of durations, each series with the buckets given; returns what observes one, in seconds. */
export function createHistogram<const Label extends string>(
  registry: MetricsRegistry,
  series: Series<Label>,
  bucketsOf: (labels: Labels<Label>) => readonly number[] = () => SECONDS_BUCKETS,
): (labels: Labels<Label>, seconds: number) => void {
  const all = registry.counted(series.name, () => new Map<string, Durations>());
  registry.add(series.name, () => {
    const texts = Array.from(all, ([labels, durations]) => {
      durations.written ??= writeDurations(series.name, labels, durations);
      return durations.written;
    });
    return headOf(series, 'histogram') + texts.join('');
  });
  return (of, seconds) => {
    const labels = writeLabels(of);
    const durations = all.get(labels) ?? startDurations(bucketsOf(of));
    all.set(labels, durations);
    observe(durations, seconds);
  };
}

/** Registers a gauge that is read at each scrape. A series that `read` does not return is absent, whatever it was before. */
export function createGauge<const Label extends string = never>(
  registry: MetricsRegistry,
  series: Series<Label>,
  read: () => Samples<Label> | Promise<Samples<Label>>,
): void {
  registry.add(series.name, async () => headOf(series, 'gauge') + writeSamples(series.name, await read()));
}

/** The same for a counter that somebody else keeps. */
export function createReadCounter<const Label extends string>(
  registry: MetricsRegistry,
  series: Series<Label>,
  read: () => Samples<Label>,
): void {
  registry.add(series.name, () => headOf(series, 'counter') + writeSamples(series.name, read()));
}

/** What a counter has counted, by its labels. */
interface Counts {
  readonly counts: Map<string, Count>;
  /** Its lines, unless it has changed since they were written. */
  written: string | null;
}

interface Count {
  value: number;
  /** Its line, unless it has changed since that was written. */
  line: string | null;
  /** Since when it has been shown at zero; null: it was not. */
  atZeroSince: number | null;
}

/** Durations that were observed: `counts` beside `buckets`, those longer than all of them only in `count`. */
interface Durations {
  readonly buckets: readonly number[];
  readonly counts: number[];
  count: number;
  sum: number;
  /** Its lines, unless it has changed since they were written. */
  written: string | null;
}

const startDurations = (buckets: readonly number[]): Durations => ({
  buckets,
  counts: buckets.map(() => 0),
  count: 0,
  sum: 0,
  written: null,
});

function observe(durations: Durations, seconds: number): void {
  const place = durations.buckets.findIndex((bound) => seconds <= bound);
  if (place !== -1) durations.counts[place] = (durations.counts[place] ?? 0) + 1;
  durations.count += 1;
  durations.sum += seconds;
  durations.written = null;
}

function writeDurations(name: string, labels: string, { buckets, counts, count, sum }: Durations): string {
  const others = labels === '' ? '' : `,${labels}`;
  let upTo = 0;
  const lines = buckets.map((bound, place) => {
    upTo += counts[place] ?? 0;
    return `${name}_bucket{le="${bound}"${others}} ${upTo}\n`;
  });
  lines.push(`${name}_bucket{le="+Inf"${others}} ${count}\n`);
  lines.push(lineOf(`${name}_sum`, labels, sum), lineOf(`${name}_count`, labels, count));
  return lines.join('');
}

function writeSamples<Label extends string>(name: string, samples: Samples<Label>): string {
  return Array.from(samples, ([labels, value]) => lineOf(name, writeLabels(labels), value)).join('');
}

const headOf = ({ name, help }: Series<string>, type: string): string =>
  `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;

const lineOf = (name: string, labels: string, value: number): string =>
  labels === '' ? `${name} ${value}\n` : `${name}{${labels}} ${value}\n`;

function writeLabels(labels: Readonly<Record<string, string>>): string {
  // One piece of text: of a template, a counter would keep the pieces.
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${escape(value)}"`)
    .join();
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '"': '\\"', '\n': '\\n' };

const escape = (value: string): string =>
  value.replace(/[\\"\n]/g, (character) => ESCAPES[character] ?? character);
