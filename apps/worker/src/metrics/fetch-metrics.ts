import type { FetchWatch } from '@passport/queue';
import { type MetricsRegistry, createGauge } from '@passport/runtime';

/** `passport_fetch_wait_seconds{queue}`: a queue that is watched twice, as at a reload, has the longer time. */
export function fetchMetrics(registry: MetricsRegistry, fetches: Pick<FetchWatch, 'waits'>): void {
  createGauge(
    registry,
    {
      name: 'passport_fetch_wait_seconds',
      help: 'For how long a fetch of jobs has not come back, by queue (up to 11 s where there are none)',
      labels: ['queue'],
    },
    () => {
      const longest = new Map<string, number>();
      for (const [queue, seconds] of fetches.waits())
        longest.set(queue, Math.max(seconds, longest.get(queue) ?? 0));
      return [...longest].map(([queue, seconds]) => [{ queue }, seconds] as const);
    },
  );
}
