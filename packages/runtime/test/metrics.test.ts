import { expect, test } from '@jest/globals';
import { createMetrics, eventMetrics, jobMetrics, kohaMetrics, queueMetrics } from '@passport/runtime';

async function arrange() {
  const registry = createMetrics({ processMetrics: false });
  return { registry, text: () => registry.metrics() };
}

test('every metric of contract section 7 is there, with its type and labels', async () => {
  const { registry, text } = await arrange();
  eventMetrics(registry).received('riverside', 'accepted');
  const jobs = jobMetrics(registry);
  jobs.ended('riverside', 'COPIED');
  jobs.copied('riverside', 0.8);
  jobs.step('locate', 0.2);
  const koha = kohaMetrics(registry);
  koha.request({ library: 'midland', operation: 'findByCard', status: '200', seconds: 0.05 });
  koha.circuitOpen('midland', true);
  koha.inFlight('midland', 3);
  queueMetrics(registry, () => Promise.resolve({ jobs: { wait: 4, failed: 1 }, oldestSeconds: 12.5 }));
  const lines = (await text()).split('\n').filter((line) => !line.startsWith('# HELP'));
  expect(lines).toEqual(
    expect.arrayContaining([
      '# TYPE passport_events_total counter',
      'passport_events_total{library="riverside",result="accepted"} 1',
      '# TYPE passport_jobs_total counter',
      'passport_jobs_total{library="riverside",outcome="COPIED"} 1',
      '# TYPE passport_scan_to_copy_seconds histogram',
      'passport_scan_to_copy_seconds_bucket{le="0.5",library="riverside"} 0',
      'passport_scan_to_copy_seconds_bucket{le="1",library="riverside"} 1',
      '# TYPE passport_step_seconds histogram',
      'passport_step_seconds_count{step="locate"} 1',
      '# TYPE passport_koha_requests_total counter',
      'passport_koha_requests_total{library="midland",operation="findByCard",status="200"} 1',
      '# TYPE passport_koha_request_seconds histogram',
      'passport_koha_request_seconds_count{library="midland",operation="findByCard"} 1',
      '# TYPE passport_queue_jobs gauge',
      'passport_queue_jobs{state="wait"} 4',
      'passport_queue_jobs{state="failed"} 1',
      '# TYPE passport_queue_oldest_seconds gauge',
      'passport_queue_oldest_seconds 12.5',
      '# TYPE passport_library_open gauge',
      'passport_library_open{library="midland"} 1',
      '# TYPE passport_library_in_flight gauge',
      'passport_library_in_flight{library="midland"} 3',
    ]),
  );
});

test('both queue gauges come from one reading', async () => {
  const { registry, text } = await arrange();
  let reads = 0;
  queueMetrics(registry, () => {
    reads += 1;
    return Promise.resolve({ jobs: { wait: reads }, oldestSeconds: reads });
  });
  expect(await text()).toContain('passport_queue_jobs{state="wait"} 1\n');
  expect(await text()).toContain('passport_queue_oldest_seconds 2\n');
  expect(reads).toBe(2);
});

test('a queue that cannot be read leaves its gauges out and the others in', async () => {
  const { registry, text } = await arrange();
  let away = false;
  queueMetrics(registry, () =>
    away ? Promise.reject(new Error('no Redis')) : Promise.resolve({ jobs: { wait: 1 }, oldestSeconds: 1 }),
  );
  eventMetrics(registry).received('riverside', 'accepted');
  expect(await text()).toContain('passport_queue_oldest_seconds 1');
  away = true;
  const after = await text();
  expect(after).not.toMatch(/^passport_queue/m);
  expect(after).toContain('passport_events_total{library="riverside",result="accepted"} 1');
});
