import { expect, test } from '@jest/globals';
import { createMetrics } from '@passport/runtime';
import { jobMetrics } from '../src/metrics/job-metrics.ts';
import { kohaMetrics } from '../src/metrics/koha-metrics.ts';

function arrange() {
  const registry = createMetrics({ process: 'worker', processMetrics: false });
  return { registry, text: () => registry.metrics() };
}

test('the metrics of jobs and of calls to Koha are there, with type and labels', async () => {
  const { registry, text } = arrange();
  const jobs = jobMetrics(registry, [], []);
  jobs.ended('riverside', 'COPIED');
  jobs.copied('riverside', 0.8);
  jobs.step('locate', 0.2);
  const koha = kohaMetrics(registry, 3);
  koha.request({ library: 'midland', operation: 'findByCard', status: '200', seconds: 0.05 });
  koha.circuitOpen('midland', true);
  koha.calls('midland', () => ({ inFlight: 3, waiting: 2, limit: 4 }));
  const lines = (await text()).split('\n').filter((line) => !line.startsWith('# HELP'));
  expect(lines).toEqual(
    expect.arrayContaining([
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
      'passport_process_info{process="worker"} 1',
      '# TYPE passport_library_open gauge',
      'passport_library_open{library="midland"} 1',
      '# TYPE passport_library_in_flight gauge',
      'passport_library_in_flight{library="midland"} 3',
      'passport_library_waiting{library="midland"} 2',
      'passport_library_call_limit{library="midland"} 4',
    ]),
  );
});

test('what an alert looks for is there from the start, at zero', async () => {
  const { registry, text } = arrange();
  jobMetrics(registry, ['riverside'], ['MISCONFIGURED']);
  expect((await text()).split('\n')).toEqual(
    expect.arrayContaining([
      'passport_jobs_total{library="riverside",outcome="MISCONFIGURED"} 0',
      'passport_limit_reached_total{library="riverside",limit="copies"} 0',
      'passport_limit_reached_total{library="riverside",limit="misses"} 0',
      'passport_limit_reached_total{library="riverside",limit="verdicts"} 0',
      'passport_jobs_requeued_total{library="riverside",reason="newer_version"} 0',
      'passport_jobs_requeued_total{library="riverside",reason="unknown_library"} 0',
      'passport_jobs_requeued_total{library="riverside",reason="disabled_library"} 0',
    ]),
  );
});

test('calls in flight and an open circuit are those of the scrape', async () => {
  const { registry, text } = arrange();
  const koha = kohaMetrics(registry, 3);
  let calls = 0;
  koha.calls('midland', () => ({ inFlight: calls, waiting: 0, limit: 8 }));
  for (calls of [2, 0]) {
    koha.circuitOpen('midland', calls > 0);
    const lines = await text();
    expect(lines).toContain(`passport_library_in_flight{library="midland"} ${calls}\n`);
    expect(lines).toContain(`passport_library_open{library="midland"} ${calls > 0 ? 1 : 0}\n`);
  }
});

test('a Koha that answers every status there can be makes few series', async () => {
  const { registry, text } = arrange();
  const koha = kohaMetrics(registry, 3);
  for (let status = 200; status <= 999; status += 1) {
    koha.request({ library: 'midland', operation: 'GET /patrons', status: `${status}`, seconds: 0 });
  }
  koha.request({ library: 'midland', operation: 'GET /patrons', status: 'timeout', seconds: 0 });

  const lines = await text();
  for (const status of ['200', '409', '503', '5xx', '9xx', 'timeout'])
    expect(lines).toContain(`status="${status}"`);
  expect(lines.match(/^passport_koha_requests_total\{/gm)?.length).toBeLessThan(80);
});

test('of many libraries, one with nothing to say has no series of its own', async () => {
  const { registry, text } = arrange();
  const ids = Array.from({ length: 101 }, (_, place) => `library-${place}`);
  const { ended } = jobMetrics(registry, ids, ['MISCONFIGURED']);
  ended('library-7', 'COPIED');

  const lines = (await text()).split('\n').filter((line) => line.includes('library="'));
  expect(lines).toEqual(['passport_jobs_total{library="library-7",outcome="COPIED"} 0']);
});

const OPERATIONS = ['GET /', 'GET /patrons', 'POST /patrons', 'POST /checkouts'];

async function callAll(libraries: number): Promise<readonly string[]> {
  const { registry, text } = arrange();
  const ids = Array.from({ length: libraries }, (_, place) => `library-${place}`);
  const koha = kohaMetrics(registry, libraries);
  const jobs = jobMetrics(registry, ids, []);
  for (const library of ids) {
    jobs.copied(library, 3);
    for (const operation of OPERATIONS) koha.request({ library, operation, status: '200', seconds: 3 });
  }
  koha.request({ library: 'library-0', operation: 'POST /patrons', status: 'timeout', seconds: 3 });
  return (await text()).split('\n');
}

test('calls to a hundred libraries are counted and timed by library and operation, with all buckets', async () => {
  const lines = await callAll(100);
  expect(lines).toEqual(
    expect.arrayContaining([
      'passport_koha_request_seconds_bucket{le="3",library="library-99",operation="POST /checkouts"} 1',
      'passport_koha_request_seconds_count{library="library-99",operation="GET /"} 1',
      'passport_koha_requests_total{library="library-99",operation="POST /checkouts",status="200"} 1',
      'passport_scan_to_copy_seconds_bucket{le="3",library="library-99"} 1',
    ]),
  );
  expect(lines.filter((line) => line.includes('operation=""') || line.includes('library=""'))).toEqual([]);
});

test('those to more are counted and timed once by library, in few buckets and without descriptions, and once by operation', async () => {
  const lines = await callAll(101);
  expect(lines.filter((line) => line.startsWith('passport_koha_request_seconds_bucket{le="2"'))).toEqual(
    expect.arrayContaining([
      'passport_koha_request_seconds_bucket{le="2",library="",operation="POST /checkouts"} 0',
      'passport_koha_request_seconds_bucket{le="2",library="library-100",operation=""} 0',
    ]),
  );
  expect(lines).toEqual(
    expect.arrayContaining([
      'passport_koha_request_seconds_bucket{le="3",library="",operation="GET /"} 101',
      'passport_koha_request_seconds_bucket{le="5",library="library-100",operation=""} 3',
      'passport_koha_requests_total{library="library-100",operation="",status="200"} 4',
      'passport_koha_requests_total{library="",operation="POST /checkouts",status="200"} 101',
      'passport_koha_requests_total{library="library-0",operation="POST /patrons",status="timeout"} 1',
      'passport_scan_to_copy_seconds_bucket{le="5",library="library-100"} 1',
    ]),
  );
  expect(lines.filter((line) => line.includes('le="3",library="library-'))).toEqual([]);
});

test('twice as many libraries add 20 series each at most', async () => {
  const [hundreds, twice] = [await callAll(500), await callAll(1_000)];
  expect((twice.length - hundreds.length) / 500).toBeLessThanOrEqual(20);
});

test('of many libraries, the gauges of one are there while there is something to see', async () => {
  const { registry, text } = arrange();
  const koha = kohaMetrics(registry, 101);
  koha.calls('midland', () => ({ inFlight: 0, waiting: 0, limit: 8 }));
  koha.calls('riverside', () => ({ inFlight: 2, waiting: 0, limit: 8 }));
  koha.circuitOpen('midland', false);
  koha.circuitOpen('lakeside', true);

  const gauges = (await text()).split('\n').filter((line) => line.startsWith('passport_library_'));
  expect(gauges).toEqual([
    'passport_library_open{library="lakeside"} 1',
    'passport_library_in_flight{library="riverside"} 2',
    'passport_library_waiting{library="riverside"} 0',
    'passport_library_call_limit{library="riverside"} 8',
  ]);
});
