import { type MetricsRegistry, createCounter } from '@passport/runtime';

const RESULTS = ['delivered', 'failed', 'dropped'] as const;

/** Counts attempts to notify operators. */
export interface NotifyMetrics {
  ended(endpoint: string, result: (typeof RESULTS)[number]): void;
}

/** `passport_notifications_total{endpoint,result}`. */
export function notifyMetrics(registry: MetricsRegistry, endpoints: readonly string[]): NotifyMetrics {
  const count = createCounter(
    registry,
    {
      name: 'passport_notifications_total',
      help: 'Messages to operators by endpoint: delivered, attempts that failed, and messages dropped after the last attempt or after 410',
      labels: ['endpoint', 'result'],
    },
    endpoints.flatMap((endpoint) => RESULTS.map((result) => ({ endpoint, result }))),
  );
  return { ended: (endpoint, result) => count({ endpoint, result }) };
}
