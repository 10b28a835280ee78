import { type MetricsRegistry, ZERO_AT_FIRST, areInDetail, createCounter } from '@passport/runtime';

/** Stands for every library that we do not know. */
export const UNKNOWN = 'unknown';

/**
 * `passport_events_total`: the result of each delivery. The `results` that an alert looks for are there from the start, at
 * zero, for each library; of many libraries only once there is something to count. Returns the function that counts one.
 */
export function eventMetrics(
  registry: MetricsRegistry,
  zeroed: { readonly libraries: readonly string[]; readonly results: readonly string[] },
): (library: string, result: string) => void {
  const count = createCounter(
    registry,
    {
      name: 'passport_events_total',
      help: 'Deliveries at the receiver, by library and result',
      labels: ['library', 'result'],
    },
    areInDetail(zeroed.libraries.length)
      ? zeroed.libraries.flatMap((library) => zeroed.results.map((result) => ({ library, result })))
      : ZERO_AT_FIRST,
  );
  return (library, result) => count({ library, result });
}
