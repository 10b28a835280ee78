import { Gauge } from 'prom-client';
import type { MetricsRegistry } from './metrics.ts';
import { sharedRead } from './shared-read.ts';

/** What is in the queue at this moment. */
export interface QueueReading {
  readonly jobs: Readonly<Record<string, number>>;
  readonly oldestSeconds: number;
  /** Unfinished events of each library. */
  readonly backlogs: Readonly<Record<string, number>>;
}

const READ_MS = 1_500;

/**
 * `passport_queue_jobs{state}`, `passport_queue_oldest_seconds`, `passport_library_backlog{library}` and
 * `passport_redis_up`, read at each scrape, once for all of them. When the queue cannot be read in time the last
 * one is 0 and the others are absent; the other metrics of the process are still there.
 */
export function queueMetrics(
  registry: MetricsRegistry,
  read: () => Promise<QueueReading>,
  backlogLimits: Readonly<Record<string, number>>,
): void {
  const registers = [registry];
  const readOnce = sharedRead(READ_MS, read, 'reading the queue');
  perKey(registry, 'state', {
    name: 'passport_queue_jobs',
    help: 'Jobs in the queue, by state',
    values: async () => (await readOnce())?.jobs,
  });
  new Gauge({
    name: 'passport_queue_oldest_seconds',
    help: 'Age of the oldest job that is not finished',
    registers,
    async collect() {
      this.remove();
      const reading = await readOnce();
      if (reading !== null) this.set(reading.oldestSeconds);
    },
  });
  perKey(registry, 'library', {
    name: 'passport_library_backlog',
    help: 'Unfinished events of a library',
    values: async () => (await readOnce())?.backlogs,
  });
  perKey(registry, 'library', {
    name: 'passport_library_backlog_limit',
    help: 'Maximum number of unfinished events of a library (limits.backlog)',
    values: () => backlogLimits,
  });
  new Gauge({
    name: 'passport_redis_up',
    help: '1 if this process could read the queue at this scrape, else 0',
    registers,
    async collect() {
      this.set((await readOnce()) === null ? 0 : 1);
    },
  });
}

type Values = Readonly<Record<string, number>> | undefined;

function perKey(
  registry: MetricsRegistry,
  label: string,
  gauge: { name: string; help: string; values: () => Values | Promise<Values> },
): void {
  new Gauge({
    name: gauge.name,
    help: gauge.help,
    labelNames: [label],
    registers: [registry],
    async collect() {
      this.reset();
      for (const [key, value] of Object.entries((await gauge.values()) ?? {}))
        this.set({ [label]: key }, value);
    },
  });
}
