import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import { logMetrics } from './log-metrics.ts';
import type { LogHealth } from './log-output.ts';

/** Where a process keeps its metrics; `registry.metrics()` is the text for `/metrics`. */
export type MetricsRegistry = Registry;

/** A desk waits a second or two, Koha's deadlines are seconds, a scan is worth following for a minute. */
export const SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 20, 30, 60];

/**
 * A registry for the process of that name, with Node's own metrics (memory, event loop) unless disabled, and with what
 * its log lost (`passport_log_lines_lost_total`).
 * `passport_process_info` is how an alert sees that no process of a kind is left. Names: contract.md section 7 and
 * docs/runbook.md.
 */
export function createMetrics(options: {
  process: string;
  processMetrics?: boolean;
  logHealth?: LogHealth;
}): MetricsRegistry {
  const registry = new Registry();
  if (options.processMetrics !== false) collectDefaultMetrics({ register: registry });
  const info = new Gauge({
    name: 'passport_process_info',
    help: 'Which process of Patron Passport this is (always 1)',
    labelNames: ['process'],
    registers: [registry],
  });
  info.set({ process: options.process }, 1);
  if (options.logHealth !== undefined) logMetrics(registry, options.logHealth);
  return registry;
}

/**
 * `passport_events_total`: what became of each delivery at the receiver. The `results` that an alert looks for are
 * there from the start, at zero, for each library: of a series that begins with 1, Prometheus sees no increase.
 */
export function eventMetrics(
  registry: MetricsRegistry,
  zeroed: { libraries: readonly string[]; results: readonly string[] },
) {
  const events = new Counter({
    name: 'passport_events_total',
    help: 'Deliveries at the receiver, by library and result',
    labelNames: ['library', 'result'],
    registers: [registry],
  });
  for (const library of zeroed.libraries) {
    for (const result of zeroed.results) events.inc({ library, result }, 0);
  }
  return { received: (library: string, result: string) => events.inc({ library, result }) };
}

/**
 * `passport_jobs_total`, `passport_scan_to_copy_seconds`, `passport_step_seconds`, `passport_limit_reached_total` and
 * `passport_jobs_put_back_total` of the worker. The `outcomes` that are named and the limits are there from the start, as with {@link eventMetrics}.
 */
export function jobMetrics(
  registry: MetricsRegistry,
  zeroed: { libraries: readonly string[]; outcomes: readonly string[] },
) {
  const registers = [registry];
  const jobs = new Counter({
    name: 'passport_jobs_total',
    help: 'Jobs that ended, by lending library and outcome',
    labelNames: ['library', 'outcome'],
    registers,
  });
  const scanToCopy = new Histogram({
    name: 'passport_scan_to_copy_seconds',
    help: 'From the scan of the card to the copy in the lending library',
    labelNames: ['library'],
    buckets: SECONDS,
    registers,
  });
  const steps = new Histogram({
    name: 'passport_step_seconds',
    help: 'How long each step of a job took',
    labelNames: ['step'],
    buckets: SECONDS,
    registers,
  });
  const limits = new Counter({
    name: 'passport_limit_reached_total',
    help: 'How often a job waited because its library had reached an hourly limit',
    labelNames: ['library', 'limit'],
    registers,
  });
  const requeued = new Counter({
    name: 'passport_jobs_put_back_total',
    help: 'How often a job was requeued for a worker with a newer version or configuration, or because its library is paused',
    labelNames: ['library', 'reason'],
    registers,
  });
  for (const library of zeroed.libraries) {
    for (const reason of ['newer_version', 'unknown_library', 'paused_library'])
      requeued.inc({ library, reason }, 0);
    for (const outcome of zeroed.outcomes) jobs.inc({ library, outcome }, 0);
    for (const limit of ['copies', 'misses', 'verdicts']) limits.inc({ library, limit }, 0);
  }
  return {
    limitReached: (library: string, limit: 'copies' | 'misses' | 'verdicts') =>
      limits.inc({ library, limit }),
    requeued: (library: string, reason: 'newer_version' | 'unknown_library' | 'paused_library') =>
      requeued.inc({ library, reason }),
    ended: (library: string, outcome: string) => jobs.inc({ library, outcome }),
    copied: (library: string, seconds: number) => scanToCopy.observe({ library }, seconds),
    step: (step: string, seconds: number) => steps.observe({ step }, seconds),
  };
}
