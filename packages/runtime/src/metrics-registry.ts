import { Registry } from 'prom-client';

/** Writes one metric, with its `# HELP` and `# TYPE`, as Prometheus reads it. Called at each scrape. */
export type WriteMetric = () => string | Promise<string>;

/**
 * Where a process keeps its metrics. Node's own are prom-client's; ours are written by `series.ts`, in a tenth of the
 * time: with a thousand libraries a scrape has tens of thousands of lines, and meanwhile no job goes on.
 */
export class MetricsRegistry {
  readonly node: Registry;
  readonly #metrics: Map<string, WriteMetric>;
  readonly #counted: Map<string, unknown>;

  constructor(
    metrics: ReadonlyMap<string, WriteMetric> = new Map(),
    counted: Map<string, unknown> = new Map(),
    node = new Registry(),
  ) {
    this.#metrics = new Map(metrics);
    this.#counted = counted;
    this.node = node;
  }

  /** Throws when there is a metric of that name. */
  add(name: string, write: WriteMetric): void {
    if (this.#metrics.has(name)) throw new Error(`there is a metric ${name} already`);
    this.#metrics.set(name, write);
  }

  /**
   * A registry that has the metrics of this one, and whatever is added to it. Those that are extended from one count on where
   * the one before stopped: a counter does not fall because the configuration was reloaded.
   */
  extend(): MetricsRegistry {
    return new MetricsRegistry(this.#metrics, this.#counted, this.node);
  }

  /** What a metric counts in, made by whichever registry has it first. */
  counted<T>(name: string, start: () => T): T {
    const known = this.#counted.get(name);
    if (known !== undefined) return known as T;
    const made = start();
    this.#counted.set(name, made);
    return made;
  }

  /** The text for `/metrics`. */
  async metrics(): Promise<string> {
    const own = Array.from(this.#metrics.values(), (write) => write());
    return (await Promise.all([...own, this.node.metrics()])).join('\n');
  }
}
