import type { LogHealth } from './log-output.ts';
import { type MetricsRegistry, sampleLine } from './metrics-text.ts';

/** `passport_log_lines_lost_total{kind}`: lines that could not be written; `audit` are those that a home library may want to see. */
export function logMetrics(registry: MetricsRegistry, health: LogHealth): void {
  const name = 'passport_log_lines_lost_total';
  registry.add({
    name,
    help: 'Log lines that could not be written (full disk, broken pipe), by kind',
    type: 'counter',
    samples: () =>
      (['audit', 'other'] as const).map((kind) => sampleLine(name, `kind="${kind}"`, health.lost[kind])),
  });
}
