import type { Registry } from 'prom-client';

/** Where a process keeps its metrics; `metrics()` is the text for `/metrics`. */
export interface MetricsRegistry {
  metrics(): Promise<string>;
  /** Adds a metric; `samples` gives its lines at each scrape. Throws where the name is taken. */
  add(metric: RenderedMetric): void;
}

export interface RenderedMetric {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  samples(): readonly string[] | Promise<readonly string[]>;
}

/**
 * Builds a registry of our metrics, with those of `node` (prom-client's) after them. Ours are text in the form in which they are
 * scraped: prom-client puts each line together from its parts at each scrape, 5 µs a line, and a worker of a thousand
 * libraries has 25,000.
 */
export function buildRegistry(node: Registry | null): MetricsRegistry {
  const metrics = new Map<string, RenderedMetric>();
  return {
    add: (metric) => {
      if (metrics.has(metric.name)) throw new Error(`there is a metric ${metric.name} already`);
      metrics.set(metric.name, metric);
    },
    metrics: async () => {
      const texts = await Promise.all([...metrics.values()].map(renderMetric));
      return [...texts, ...(node === null ? [] : [await node.metrics()])].join('\n');
    },
  };
}

async function renderMetric({ name, help, type, samples }: RenderedMetric): Promise<string> {
  const escaped = help.replaceAll('\\', String.raw`\\`).replaceAll('\n', String.raw`\n`);
  return [`# HELP ${name} ${escaped}`, `# TYPE ${name} ${type}`, ...(await samples()), ''].join('\n');
}

/** `library="riverside",state="failed"`: labels as they stand between braces, in the order of `names`. */
export function labelsText<Label extends string>(
  names: readonly Label[],
  values: Readonly<Record<Label, string>>,
): string {
  let text = '';
  for (const name of names) {
    text += `${text === '' ? '' : ','}${name}="${NEEDS_ESCAPE.test(values[name]) ? escapeLabel(values[name]) : values[name]}"`;
  }
  return text;
}

/** One line: the name, its labels in braces where it has any, and the value. */
export function sampleLine(name: string, labels: string, value: number): string {
  return labels === '' ? `${name} ${valueText(value)}` : `${name}{${labels}} ${valueText(value)}`;
}

const NEEDS_ESCAPE = /[\\"\n]/;

function escapeLabel(value: string): string {
  return value
    .replaceAll('\\', String.raw`\\`)
    .replaceAll('"', String.raw`\"`)
    .replaceAll('\n', String.raw`\n`);
}

function valueText(value: number): string {
  return Number.isFinite(value) || Number.isNaN(value) ? String(value) : value > 0 ? '+Inf' : '-Inf';
}
