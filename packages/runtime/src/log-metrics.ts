import type { LogHealth } from './log-output.ts';
import type { MetricsRegistry } from './metrics-registry.ts';
import { createReadCounter } from './series.ts';

/** `passport_log_lines_lost_total{kind}`: lines that could not be written; `audit` are those that a home library may want to see. */
export function logMetrics(registry: MetricsRegistry, health: LogHealth): void {
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
