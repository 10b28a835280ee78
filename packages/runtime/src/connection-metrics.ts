import { Counter, Gauge } from 'prom-client';
import type { MetricsRegistry } from './metrics.ts';

/**
 * `passport_connections` and `passport_connections_dropped_total`: connections to the public port, and those that were
 * closed because their address (`address`) or the process (`total`) had as many as it may. `open` is called at
 * each scrape.
 */
export function connectionMetrics(registry: MetricsRegistry, open: () => number) {
  new Gauge({
    name: 'passport_connections',
    help: 'Open connections to the public port',
    registers: [registry],
    collect() {
      this.set(open());
    },
  });
  const dropped = new Counter({
    name: 'passport_connections_dropped_total',
    help: 'Connections closed because their address or the process had reached its limit',
    labelNames: ['limit'],
    registers: [registry],
  });
  for (const limit of ['address', 'total']) dropped.inc({ limit }, 0);
  return { dropped: (limit: 'address' | 'total') => dropped.inc({ limit }) };
}
