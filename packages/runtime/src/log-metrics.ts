import { Counter, type Registry } from 'prom-client';
import type { LogHealth } from './log-output.ts';

/** `passport_log_lines_lost_total{kind}`: lines that could not be written; `audit` are those that a home library may want to see. */
export function logMetrics(registry: Registry, health: LogHealth): void {
  const kinds = ['audit', 'other'] as const;
  new Counter({
    name: 'passport_log_lines_lost_total',
    help: 'Log lines that could not be written (full disk, broken pipe), by kind',
    labelNames: ['kind'],
    registers: [registry],
    collect() {
      this.reset();
      for (const kind of kinds) this.inc({ kind }, health.lost[kind]);
    },
  });
}
