import type { LogHealth } from './log-output.ts';
import { MetricsRegistry } from './metrics-registry.ts';
import { processMetrics } from './process-metrics.ts';
import { createGauge, createReadCounter } from './series.ts';

/**
 * A registry for the process of that name, with Node's own metrics (memory, event loop) unless disabled, and with what
 * its log lost (`passport_log_lines_lost_total`).
 * `passport_process_info` is how an alert sees that no process of a kind is left. All other metrics belong to the process
 * that counts them (`src/metrics` of the worker, the receiver's sources), or to `@passport/queue` where several processes
 * have them. Names: docs/metrics.md.
 */
export function createMetrics(options: {
  process: string;
  processMetrics?: boolean;
  logHealth?: LogHealth;
}): MetricsRegistry {
  const registry = new MetricsRegistry();
  if (options.processMetrics !== false) processMetrics(registry);
  const help = 'Which process of Patron Passport this is (always 1)';
  createGauge(registry, { name: 'passport_process_info', help, labels: ['process'] }, () => [
    [{ process: options.process }, 1],
  ]);
  if (options.logHealth !== undefined) logMetrics(registry, options.logHealth);
  return registry;
}

/** `passport_log_lines_lost_total{kind}`: lines that could not be written; `audit` are those that a home library may want to see. */
function logMetrics(registry: MetricsRegistry, health: LogHealth): void {
  const kinds = ['audit', 'other'] as const;
  createReadCounter(
    registry,
    {
      name: 'passport_log_lines_lost_total',
      help: 'Log lines that could not be written (full disk, broken pipe), by kind',
      labels: ['kind'],
    },
    () => kinds.map((kind) => [{ kind }, health.lost[kind]]),
  );
}
