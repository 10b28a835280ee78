import { Registry } from 'prom-client';

/** Writes one metric, with its `# HELP` and `# TYPE`, as Prometheus reads it. Called at each scrape. */
export type WriteMetric = () => string | Promise<string>;

/**
 * Where a process keeps its metrics. Node's own are prom-client's; ours are written by `series.ts`, in a tenth of the
 * time: with a thousand libraries a scrape has tens of thousands of lines, and meanwhile no job goes on.
 */
export class MetricsRegistry {
  readonly node = new Registry();
  readonly #metrics = new Map<string, WriteMetric>();

  /** Throws when there is a metric of that name. */
  add(name: string, write: WriteMetric): void {
    if (this.#metrics.has(name)) throw new Error(`there is a metric ${name} already`);
    this.#metrics.set(name, write);
  }

  /** The text for `/metrics`. */
  async metrics(): Promise<string> {
    const own = Array.from(this.#metrics.values(), (write) => write());
    return (await Promise.all([...own, this.node.metrics()])).join('\n');
  }
}
