import { expect, test } from '@jest/globals';
import { createMetrics } from '@passport/runtime';
import { eventMetrics } from '../src/deliveries/event-metrics.ts';

test('deliveries are counted by library and result; what an alert looks for is there from the start, at zero', async () => {
  const registry = createMetrics({ process: 'receiver', processMetrics: false });
  const count = eventMetrics(registry, { libraries: ['riverside'], results: ['unavailable'] });
  count('riverside', 'accepted');
  expect((await registry.metrics()).split('\n')).toEqual(
    expect.arrayContaining([
      '# TYPE passport_events_total counter',
      'passport_events_total{library="riverside",result="unavailable"} 0',
      'passport_events_total{library="riverside",result="accepted"} 1',
    ]),
  );
});
