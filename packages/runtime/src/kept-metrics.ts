import { Counter, Gauge } from 'prom-client';
import type { MetricsRegistry } from './metrics.ts';
import { sharedRead } from './shared-read.ts';

type KeptState = 'finished' | 'failed';

/** What each library has in Redis at this moment. */
export interface KeptReading {
  readonly libraries: Readonly<Record<string, Readonly<Record<KeptState | 'bytes', number>>>>;
  /** What Redis may use; 0: no limit, null: it does not say. */
  readonly memoryLimitBytes: number | null;
}

const READ_MS = 1_500;
const STATES: readonly KeptState[] = ['finished', 'failed'];

/**
 * `passport_library_kept_events{library,state}`, `passport_library_redis_bytes{library}` and
 * `passport_library_redis_share{library}`, read at each scrape;
 * `passport_library_kept_limit{library,state}` beside them, and `passport_kept_dropped_total{library,state}`: ended
 * events that were removed before their time. By these an alert names the library that fills Redis before Redis is full.
 */
export function keptMetrics(
  registry: MetricsRegistry,
  read: () => Promise<KeptReading>,
  limits: Readonly<Record<string, Readonly<Record<KeptState, number>>>>,
): { dropped(library: string, state: KeptState, count: number): void } {
  const registers = [registry];
  const readOnce = sharedRead(READ_MS, read, 'reading what is kept');
  new Gauge({
    name: 'passport_library_kept_events',
    help: 'Ended events of a library in Redis, by state (finished, failed)',
    labelNames: ['library', 'state'],
    registers,
    async collect() {
      this.reset();
      for (const [library, kept] of Object.entries((await readOnce())?.libraries ?? {}))
        for (const state of STATES) this.set({ library, state }, kept[state]);
    },
  });
  new Gauge({
    name: 'passport_library_redis_bytes',
    help: 'Estimated Redis memory of a library: its events and remembered ids, in bytes',
    labelNames: ['library'],
    registers,
    async collect() {
      this.reset();
      for (const [library, { bytes }] of Object.entries((await readOnce())?.libraries ?? {}))
        this.set({ library }, bytes);
    },
  });
  new Gauge({
    name: 'passport_library_redis_share',
    help: 'Estimated Redis memory of a library as a share of maxmemory, from 0 to 1; 0 without maxmemory',
    labelNames: ['library'],
    registers,
    async collect() {
      this.reset();
      const reading = await readOnce();
      const limitBytes = reading?.memoryLimitBytes ?? 0;
      for (const [library, { bytes }] of Object.entries(reading?.libraries ?? {}))
        this.set({ library }, limitBytes === 0 ? 0 : bytes / limitBytes);
    },
  });
  const limit = new Gauge({
    name: 'passport_library_kept_limit',
    help: 'Maximum number of ended events of a library in Redis (limits.kept_finished, limits.kept_failed)',
    labelNames: ['library', 'state'],
    registers,
  });
  const dropped = new Counter({
    name: 'passport_kept_dropped_total',
    help: 'Ended events of a library that were removed early, because it had reached its limit',
    labelNames: ['library', 'state'],
    registers,
  });
  for (const [library, most] of Object.entries(limits)) {
    for (const state of STATES) {
      limit.set({ library, state }, most[state]);
      dropped.inc({ library, state }, 0);
    }
  }
  return { dropped: (library, state, count) => dropped.inc({ library, state }, count) };
}
