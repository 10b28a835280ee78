import { Gauge } from 'prom-client';
import { within } from './deadline.ts';
import type { MetricsRegistry } from './metrics.ts';

/** What the queue holds at this moment. */
export interface QueueReading {
  readonly jobs: Readonly<Record<string, number>>;
  readonly oldestSeconds: number;
}

const READ_MS = 1_500;

/**
 * `passport_queue_jobs{state}` and `passport_queue_oldest_seconds`, read when Prometheus asks, once for both. When
 * the queue cannot be read in time both are absent, which the alert for a missing series finds; the other metrics
 * of the process are still told.
 */
export function queueMetrics(registry: MetricsRegistry, read: () => Promise<QueueReading>): void {
  const readOnce = sharedRead(read);
  new Gauge({
    name: 'passport_queue_jobs',
    help: 'Jobs in the queue, by state',
    labelNames: ['state'],
    registers: [registry],
    async collect() {
      this.reset();
      const reading = await readOnce();
      for (const [state, count] of Object.entries(reading?.jobs ?? {})) this.set({ state }, count);
    },
  });
  new Gauge({
    name: 'passport_queue_oldest_seconds',
    help: 'Age of the oldest job that is not finished',
    registers: [registry],
    async collect() {
      this.remove();
      const reading = await readOnce();
      if (reading !== null) this.set(reading.oldestSeconds);
    },
  });
}

/** Two gauges are collected at the same time: they share the read that is under way. */
function sharedRead(read: () => Promise<QueueReading>): () => Promise<QueueReading | null> {
  let pending: Promise<QueueReading | null> | null = null;
  return () => {
    pending ??= within(READ_MS, read(), 'reading the queue')
      .catch(() => null)
      .finally(() => {
        pending = null;
      });
    return pending;
  };
}
