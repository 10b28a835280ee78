import type { MetricsRegistry } from './metrics-registry.ts';
import { createCounter, createGauge } from './series.ts';

/** Why a connection was closed: its address or the process had as many as it may. */
type Limit = 'address' | 'total';

/**
 * `passport_connections` and `passport_connections_dropped_total`: connections to the public port, and those that were
 * closed at a limit. `open` is called at each scrape. Returns the function that counts a closed one.
 */
export function connectionMetrics(registry: MetricsRegistry, open: () => number): (limit: Limit) => void {
  createGauge(registry, { name: 'passport_connections', help: 'Open connections to the public port' }, () => [
    [{}, open()],
  ]);
  const drop = createCounter(
    registry,
    {
      name: 'passport_connections_dropped_total',
      help: 'Connections closed because their address or the process had reached its limit',
      labels: ['limit'],
    },
    [{ limit: 'address' }, { limit: 'total' }],
  );
  return (limit) => drop({ limit });
}
