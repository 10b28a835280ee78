/** Writes one metric, with its `# HELP` and `# TYPE`, as Prometheus reads it. Called at each scrape. */
export type WriteMetric = () => string | Promise<string>;

/**
 * Where a process keeps its metrics, which `series.ts` writes. prom-client takes ten times as long for it: with a thousand libraries a
 * scrape has tens of thousands of lines, and meanwhile no job goes on.
 */
export class MetricsRegistry {
  readonly #metrics: Map<string, WriteMetric>;
  readonly #counted: Map<string, unknown>;

  constructor(
    metrics: ReadonlyMap<string, WriteMetric> = new Map(),
    counted: Map<string, unknown> = new Map(),
  ) {
    this.#metrics = new Map(metrics);
    this.#counted = counted;
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
    return new MetricsRegistry(this.#metrics, this.#counted);
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
    const texts = Array.from(this.#metrics.values(), async (write) => write());
    return (await Promise.all(texts)).join('\n');
  }
}
